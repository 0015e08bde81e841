"""The file of accounts: who may decide, and how each of them signs in.

`guardrails approvers add` writes it; groups and aliases may be edited by hand. A guard needs no
hashes: where it runs under another account, give it the file that `without_secrets` leaves.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardrails.approvals.people import Account, People, Token
from guardrails.display import quote
from guardrails.errors import ApprovalsUnavailable, ConfigurationError
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from argon2 import PasswordHasher

DEFAULT_ACCOUNTS = ".guardrails/approvers.yaml"
"""Where the accounts are kept where nothing else is said."""

PASSWORD_MIN = 8
"""The shortest password (NIST SP 800-63B, section 5.1.1.2)."""

TOKEN_PREFIX = "gra_"  # noqa: S105 - a prefix by which a leaked token is recognised

_HEADER = "# Who may decide on what agents ask. `guardrails approvers` writes this file.\n"

_KEYS: Mapping[str, type] = {
    "name": str,
    "groups": list,
    "aliases": list,
    "password": str,
    "tokens": dict,
    "disabled": bool,
}
_TOKEN_KEYS: Mapping[str, type] = {"hash": str, "expires_ns": int}


def read_people(path: str | os.PathLike[str] = DEFAULT_ACCOUNTS) -> People:
    """The accounts of a file, none where there is no file; raises ConfigurationError for faults."""
    name = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return People()
    except OSError as error:
        msg = f"{name}: can't be read: {(error.strerror or 'no reason given').lower()}"
        raise ConfigurationError(msg) from None
    return _read(name, data)


def _read(name: str, data: bytes) -> People:
    try:
        tree, problems = read_yaml(decode(name, data))
    except Fault as fault:
        raise ConfigurationError(str(fault.problem)) from None
    if problems or tree is None:
        raise ConfigurationError("\n".join(map(str, problems)))
    try:
        return People(_read_accounts(tree.data))
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ConfigurationError(msg) from None


def write_people(people: People, path: str | os.PathLike[str] = DEFAULT_ACCOUNTS) -> None:
    """Write the accounts, readable by their owner alone, in place of the file as a whole.

    Raises ConfigurationError for accounts that no file can hold, before there is one.
    """
    text = write_accounts(people)
    target = Path(path)
    _read(target.name, text.encode())  # what could not be read again would leave nobody to approve
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_accounts(people: People) -> str:
    """The text of a file of these accounts."""
    import yaml  # noqa: PLC0415 - reading needs only the reader

    shown = {account.id: _account_json(account) for account in people.accounts.values()}
    form = {"version": 1, "approvers": shown}
    return _HEADER + yaml.safe_dump(form, sort_keys=False, allow_unicode=True)


def change_people(
    change: Callable[[People], People], path: str | os.PathLike[str] = DEFAULT_ACCOUNTS
) -> People:
    """The people as `change` leaves them, written; of two who change at once one waits.

    Raises ConfigurationError for a file that is none, and where one name would be two people's.
    """
    import fcntl  # noqa: PLC0415 - there is none on Windows, where only this can't be done

    target = Path(path)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(target.with_name(f".{target.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            changed = change(read_people(path))
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        write_people(changed, path)
        return changed
    finally:
        os.close(lock)


def with_account(people: People, account: Account) -> People:
    """The people with that account added or changed; raises ValueError for a name twice used."""
    return People({**people.accounts, account.id: account}.values())


def without_account(people: People, name: str) -> People:
    """The people without the account of that id or alias, if there is one."""
    gone = people.find(name)
    return People(account for account in people.accounts.values() if account is not gone)


def without_secrets(people: People) -> People:
    """The people without what they sign in with: all that a guard needs."""
    return People(replace(a, password="", tokens=()) for a in people.accounts.values())


class PeopleFile:
    """The people of a file, read anew when it has changed.

    Raises ApprovalsUnavailable while it can't be read: then nobody can approve.
    """

    __slots__ = ("_path", "_read")

    def __init__(self, path: str | os.PathLike[str] = DEFAULT_ACCOUNTS) -> None:
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
        self._read: tuple[tuple[int, int, int] | None, People] | None = None

    def __call__(self) -> People:
        """The people as the file has them now."""
        try:
            stamp = self._stamp()
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, read_people(self._path))
        except (OSError, ConfigurationError) as error:
            msg = f"nobody can approve: {error}"
            raise ApprovalsUnavailable(msg) from error
        return self._read[1]

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def hash_password(password: str) -> str:
    """The hash of a password, by Argon2id (RFC 9106); raises ConfigurationError for a short one."""
    if len(password) < PASSWORD_MIN:
        msg = f"a password has at least {PASSWORD_MIN} characters"
        raise ConfigurationError(msg)
    try:
        return _hasher().hash(password)
    except UnicodeEncodeError:
        raise ConfigurationError("a password is Unicode text") from None


def check_password(people: People, login: str, password: str) -> Account | None:
    """The account that signs in so, or None; an unknown one takes as long as a known one."""
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415 - slow to import

    account = people.find(login)
    usable = account is not None and not account.disabled and bool(account.password)
    stored = account.password if account is not None and usable else _NOBODY
    try:
        _hasher().verify(stored, password)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return None
    return account if usable else None


def make_token(name: str, expires_ns: int = 0) -> tuple[str, Token]:
    """A new token: the text for whoever will use it, and what is kept of it."""
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return text, Token(name, _token_hash(text), expires_ns)


def check_token(people: People, text: str, now_ns: int) -> Account | None:
    """The account whose token it is, unless that has ended or the account is disabled."""
    # The token is random, so a fast hash does; it is compared in constant time all the same.
    given = _token_hash(text)
    found = None
    for account in people.accounts.values():
        for token in account.tokens:
            current = not token.expires_ns or now_ns < token.expires_ns
            if hmac.compare_digest(token.hash, given) and current and not account.disabled:
                found = account
    return found


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - slow to import

    return PasswordHasher()


def _token_hash(text: str) -> str:
    return f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$Z3VhcmRyYWlscyBub2JvZHk"
    "$Kx1n4mQf8S2m0m0m0m0m0m0m0m0m0m0m0m0m0m0m0m0"
)
"""A hash of no password, with the parameters that `hash_password` uses."""


def _read_accounts(form: Any) -> Iterable[Account]:
    if type(form) is not dict or set(form) != {"version", "approvers"} or form["version"] != 1:
        raise ValueError("expected `version: 1` and `approvers`, a map of accounts by their ids")
    accounts = form["approvers"] or {}
    if type(accounts) is not dict:
        raise ValueError("`approvers` must be a map of accounts by their ids")
    return [_read_account(id_, fields or {}) for id_, fields in accounts.items()]


def _read_account(id_: Any, form: Any) -> Account:
    where = f"approver {quote(str(id_))}"
    if type(id_) is not str or not id_.strip():
        msg = f"{where}: an id is a text that is not empty"
        raise ValueError(msg)
    fields = _check(form, _KEYS, where)
    tokens = [
        Token(str(name), **_check(token, _TOKEN_KEYS, f"{where}: token {quote(str(name))}"))
        for name, token in fields.pop("tokens", {}).items()
    ]
    for key in ("groups", "aliases"):
        fields[key] = _texts(fields.get(key, []), f"{where}: `{key}`")
    return Account(id_, tokens=tuple(tokens), **fields)


def _check(form: Any, keys: Mapping[str, type], where: str) -> dict[str, Any]:
    if type(form) is not dict:
        msg = f"{where}: must be a map"
        raise ValueError(msg)
    for key, value in form.items():
        if key not in keys:
            msg = f"{where}: unknown key {quote(str(key))}; there are {', '.join(keys)}"
            raise ValueError(msg)
        if type(value) is not keys[key]:
            msg = f"{where}: `{key}` is of the wrong type"
            raise ValueError(msg)
    return dict(form)


def _texts(values: list[Any], where: str) -> tuple[str, ...]:
    if not all(type(value) is str and value.strip() for value in values):
        msg = f"{where} must be a list of texts that are not empty"
        raise ValueError(msg)
    return tuple(values)


def _account_json(account: Account) -> dict[str, Any]:
    form: dict[str, Any] = {
        "name": account.name,
        "groups": list(account.groups),
        "aliases": list(account.aliases),
        "password": account.password,
        "tokens": {
            token.name: {"hash": token.hash, "expires_ns": token.expires_ns}
            for token in account.tokens
        },
        "disabled": account.disabled,
    }
    return {key: value for key, value in form.items() if value}
