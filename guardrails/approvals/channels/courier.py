"""Brings notices from the outbox to the channels, each in a thread of its own.

A channel whose other side is dead holds up neither the inbox nor another channel: its notices wait
in the store, and are tried again at growing intervals, until that is given up.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Self

from guardrails.approvals.channels.channel import ALL_EVENTS, Notice
from guardrails.approvals.outbox import OVERDUE, WIDENED
from guardrails.approvals.request import Status
from guardrails.display import escape
from guardrails.errors import (
    ApprovalsUnavailable,
    ConfigurationError,
    DeliveryFailed,
    RequestUnknown,
)
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.approvals.channels.channel import Channel
    from guardrails.approvals.outbox import Delivery
    from guardrails.approvals.store import Store

MAX_ATTEMPTS = 16
"""How often a notice is tried: with the pauses below, for about an hour and a half."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 900.0
"""The pause after the first attempt, doubled after each further one up to the longest."""

LEASE_S = 60.0
"""How long a notice is one process's to deliver: longer than any delivery takes."""

_LOOK_S = 1.0  # how often it is looked whether a request has expired, which nobody else may notice
_RETRY_S = 1.0  # the pause after a failure of the store
_ERROR_MAX = 200  # characters of an error that are kept

_log = logging.getLogger("guardrails.approvals")


class Courier:
    """Delivers the notices of a store to channels, from `start` to `close`; several may run.

    Raises ConfigurationError for two channels of one name, and for events that there are not.
    """

    def __init__(self, store: Store, channels: Sequence[Channel]) -> None:
        self._store = store
        self._channels = tuple(channels)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        check_channels(self._channels)

    def start(self) -> None:
        """Begin to deliver, in the background."""
        for channel in self._channels:
            name = f"guardrails-channel-{channel.name}"
            thread = threading.Thread(target=self._run, args=(channel,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """End; a delivery on its way may be made again by whoever comes next."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_s)
        self._threads.clear()

    def __enter__(self) -> Self:
        """Begin to deliver, until the block ends."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def deliver_due(self, channel: Channel) -> bool:
        """Whether a notice was due for the channel; it was tried. Raises ApprovalsUnavailable."""
        outbox = self._store.outbox
        outbox.collect(channel.name, channel.events)
        delivery = outbox.take(channel.name, int(LEASE_S * NANOSECONDS))
        if delivery is None:
            return False
        self._deliver(channel, delivery)
        return True

    def _run(self, channel: Channel) -> None:
        while not self._stop.is_set():
            try:
                while self.deliver_due(channel):
                    if self._stop.is_set():
                        return
                self._pause(channel)
            except ApprovalsUnavailable:
                self._stop.wait(_RETRY_S)
            except Exception:  # noqa: BLE001 - a channel that ends unseen would leave people unasked
                _log.exception("channel `%s` failed, and goes on", channel.name)
                self._stop.wait(_RETRY_S)

    def _pause(self, channel: Channel) -> None:
        """Sleep until something has happened, or is due."""
        outbox = self._store.outbox
        due_ns, pause_s = outbox.next_due_ns(channel.name), _LOOK_S
        if due_ns is not None:
            left_s = (due_ns - self._store.now_ns()) / NANOSECONDS
            pause_s = min(max(left_s, 0.01), _LOOK_S)
        self._store.wait_for_changes(outbox.cursor(channel.name), pause_s, self._stop)

    def _deliver(self, channel: Channel, delivery: Delivery) -> None:
        outbox = self._store.outbox
        if delivery.attempts > MAX_ATTEMPTS:  # whoever tried it last did not live to tell
            self._give_up(delivery, delivery.error or "the process ended while delivering it")
            return
        try:
            request = self._store.get(delivery.request_id)
        except RequestUnknown:
            outbox.confirm(delivery)
            return
        if delivery.event in (WIDENED, OVERDUE) and request.status is not Status.PENDING:
            outbox.confirm(delivery)
            return
        notice = Notice(delivery.notice, delivery.event, delivery.actor, delivery.at_ns, request)
        try:
            channel.deliver(notice)
        except DeliveryFailed as failed:
            self._fail(delivery, escape(str(failed))[:_ERROR_MAX], failed)
        except Exception as error:  # noqa: BLE001 - a user's channel may raise anything, and is tried again
            _log.debug("channel `%s` failed", channel.name, exc_info=True)
            # Not the text: it may hold what the request is about, or a secret of the channel.
            self._fail(delivery, f"it raised {type(error).__name__}", DeliveryFailed(""))
        else:
            outbox.confirm(delivery)

    def _fail(self, delivery: Delivery, error: str, failed: DeliveryFailed) -> None:
        if failed.final or delivery.attempts >= MAX_ATTEMPTS:
            self._give_up(delivery, error)
            return
        pause_s = max(pause_after(delivery.attempts), min(failed.after_s, LONGEST_PAUSE_S))
        self._store.outbox.postpone(delivery, int(pause_s * NANOSECONDS), error)

    def _give_up(self, delivery: Delivery, error: str) -> None:
        self._store.outbox.give_up(delivery, error)
        _log.warning(
            "channel `%s` could not be told that request %s was %s: %s",
            delivery.channel,
            delivery.request_id,
            delivery.event,
            error,
        )


def pause_after(attempts: int) -> float:
    """How many seconds to wait after so many attempts: between half of the pause and all of it.

    Random, so that those who failed together don't come again together (AWS Architecture Blog,
    "Exponential Backoff And Jitter", 2015: "equal jitter").
    """
    pause = min(FIRST_PAUSE_S * 2.0 ** (attempts - 1), LONGEST_PAUSE_S)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads load, it guards nothing


def check_channels(channels: Sequence[Channel]) -> None:
    """Refuse two channels of one name, and events that there are not: ConfigurationError."""
    names = [channel.name for channel in channels]
    for channel in channels:
        if names.count(channel.name) > 1:
            msg = f"two channels are called `{channel.name}`: each needs a name of its own"
            raise ConfigurationError(msg)
        for event in channel.events:
            if event not in ALL_EVENTS:
                msg = f"channel `{channel.name}`: there is no event `{event}`"
                raise ConfigurationError(f"{msg}; there are {', '.join(ALL_EVENTS)}")
