"""Messages that come in once: what was received is known for as long as it could be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from guardrails.approvals.tables import nonces

if TYPE_CHECKING:
    from guardrails.approvals.line import Writer


def claim_nonce(writer: Writer, channel: str, nonce: str, sent_ns: int, tolerance_ns: int) -> bool:
    """Whether the message was sent within `tolerance_ns` of now and did not come before.

    The store's present never goes back, so a nonce that is forgotten is too old for ever.
    """
    connection, now = writer.connection, writer.now_ns
    if abs(now - sent_ns) > tolerance_ns:
        return False
    connection.execute(delete(nonces).where(nonces.c.until_ns < now))
    mine = (nonces.c.channel == channel) & (nonces.c.nonce == nonce)
    if connection.execute(select(exists().where(mine))).scalar_one():
        return False
    row = {"channel": channel, "nonce": nonce, "until_ns": sent_ns + tolerance_ns}
    connection.execute(nonces.insert().values(row))
    return True
