"""Who is who: accounts, the groups they vote in, and the other names they go by."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Token:
    """What stands in for a password where no person types: its name, hash, and end (0: none)."""

    name: str
    hash: str
    expires_ns: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may decide.

    `aliases` are the other names under which the same person appears: as the one an agent acts
    for, as an owner, in a rule. `password` is a hash ("" where there is none to sign in with).
    """

    id: str
    name: str = ""
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    password: str = ""
    tokens: tuple[Token, ...] = ()
    disabled: bool = False


def normalise(name: str) -> str:
    """The form in which two spellings of one name are equal: compatible, no case, all visible.

    Taking two people for one keeps one of them from voting; taking one for two would let her
    approve herself.
    """
    visible = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).strip()


class People:
    """The accounts, found by any name. Raises ValueError where one name is two people's.

    A group may not be called like a person either, so that a rule's `from` has one meaning.
    """

    __slots__ = ("_by_name", "_groups", "_spelled", "accounts")

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.accounts: Mapping[str, Account] = {account.id: account for account in accounts}
        self._by_name: dict[str, Account] = {}
        self._groups: dict[str, set[str]] = {}
        self._spelled: dict[str, set[str]] = {}
        for account in self.accounts.values():
            self._add(account)
        for group in self._groups:
            if normalise(group) in self._by_name:
                msg = f"`{group}` is both a group and a person"
                raise ValueError(msg)

    def _add(self, account: Account) -> None:
        for name in (account.id, *account.aliases):
            known = self._by_name.setdefault(normalise(name), account)
            if known is not account:
                msg = f"`{name}` names two people, `{known.id}` and `{account.id}`"
                raise ValueError(msg)
        for group in account.groups:
            self._groups.setdefault(group, set()).add(account.id)
            self._spelled.setdefault(normalise(group), set()).add(account.id)

    def find(self, name: str) -> Account | None:
        """The account of that id or alias, disabled or not, or None."""
        return self._by_name.get(normalise(name))

    def identity(self, name: str) -> str:
        """The one name of whoever is called `name`: an account's id, or the name normalised."""
        account = self.find(name)
        return normalise(name) if account is None else account.id

    def members(self, voters: Iterable[str]) -> frozenset[str]:
        """The ids of the accounts that `voters`, names of groups and people, stand for.

        Disabled accounts are none.
        """
        found: set[str] = set()
        for voter in voters:
            found |= self._groups.get(voter, set())
            account = self.find(voter)
            if account is not None:
                found.add(account.id)
        return frozenset(id_ for id_ in found if not self.accounts[id_].disabled)

    def identities(self, names: Iterable[str]) -> frozenset[str]:
        """Who `names` of groups and people stand for, unknown and disabled ones included.

        For those who may not vote: unlike a group that may, one is found in any spelling.
        """
        found: set[str] = set()
        for name in names:
            found |= self._spelled.get(normalise(name), set())
            found.add(self.identity(name))
        return frozenset(found)
