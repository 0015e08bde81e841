"""Where votes come in that were cast outside the inbox; `Callbacks` makes every check."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from guardrails.approvals.channels.callback import BODY_MAX

if TYPE_CHECKING:
    from starlette.requests import Request

    from guardrails.approvals.channels.callback import Callbacks

PATH = "/callbacks/{channel:str}"


def callback_route(callbacks: Callbacks) -> Route:
    """The route of all channels, for the `routes` of `make_app`."""
    return Route(PATH, partial(_answer, callbacks), methods=["POST"])


async def _answer(callbacks: Callbacks, request: Request) -> JSONResponse:
    body = await _read(request)
    channel, headers = request.path_params["channel"], dict(request.headers)
    answer = await run_in_threadpool(callbacks.answer, channel, headers, body)
    return JSONResponse(answer.body, answer.status)


async def _read(request: Request) -> bytes:
    """What was sent, as far as it is looked at: a byte more than may be is enough to refuse it."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            return body[: BODY_MAX + 1]
    return body
