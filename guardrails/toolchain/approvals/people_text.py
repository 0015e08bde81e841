"""Accounts told in a terminal and as JSON, never with what they sign in with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.instants import print_timestamp
from guardrails.toolchain.lines import Tone, line
from guardrails.values import NANOSECONDS, Timestamp

if TYPE_CHECKING:
    from guardrails.approvals.people import Account, Token
    from guardrails.toolchain.lines import Line


def tell_account(account: Account) -> Line:
    """An account on one line: its id, name, groups, other names and ways to sign in."""
    ways = ["password"] if account.password else []
    ways += [_tell_token(token) for token in account.tokens]
    others = f"  also {', '.join(account.aliases)}" if account.aliases else ""
    return line(
        (account.id, Tone.STRONG),
        f"  {account.name}" if account.name else "",
        f"  in {', '.join(account.groups)}" if account.groups else "  in no group",
        others,
        (f"  signs in by {', '.join(ways) or 'identity provider alone'}", Tone.FAINT),
        ("  disabled", Tone.DENY) if account.disabled else "",
    )


def account_json(account: Account) -> dict[str, Any]:
    """An account for programs; a token's `expires_ns` is 0 where it has no end."""
    return {
        "id": account.id,
        "name": account.name,
        "groups": list(account.groups),
        "aliases": list(account.aliases),
        "password": bool(account.password),
        "tokens": [{"name": each.name, "expires_ns": each.expires_ns} for each in account.tokens],
        "disabled": account.disabled,
    }


def _tell_token(token: Token) -> str:
    if not token.expires_ns:
        return f"token {token.name}"
    ends = Timestamp(token.expires_ns // NANOSECONDS * NANOSECONDS)
    return f"token {token.name} until {print_timestamp(ends)}"
