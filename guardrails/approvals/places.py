"""Where approvals are kept: the store, the accounts and the keys, found from one path or URL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.requester import Requester
from guardrails.approvals.settings import Approvals
from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from guardrails.approvals.budget import Budget
    from guardrails.approvals.service import ApprovalService

FOLDER = ".guardrails"
"""The folder of whatever the library keeps where nothing else is said."""

STORE_SUFFIXES = (".db", ".sqlite")
"""How the file of a store is called; any other path is the folder of one."""


class ApprovalFiles(NamedTuple):
    """The store (a path or a URL), the file of accounts, and the two halves of the key.

    `attempts` is the folder in which attempts to sign in are counted.
    """

    store: str
    people: str
    key: str
    public: str
    attempts: str


def locate(where: str | os.PathLike[str] = FOLDER) -> ApprovalFiles:
    """What belongs to a folder, to the file of a store, or to the URL of one.

    The accounts and the keys lie beside a file; of a database elsewhere, in `.guardrails`.
    """
    from guardrails.store.urls import read_url  # noqa: PLC0415 - brings SQLAlchemy

    given = os.fspath(where)
    if "://" not in given and Path(given).suffix not in STORE_SUFFIXES:
        folder, store = Path(given), str(Path(given) / "approvals.db")
    else:
        url = read_url(given)
        kept = url.database if url.get_backend_name() == "sqlite" else None
        folder, store = Path(FOLDER) if kept is None else Path(kept).parent, given
    names = ("approvers.yaml", "approvals.key", "approvals.pub", "sign-ins")
    return ApprovalFiles(store, *(str(folder / name) for name in names))


def open_requester(given: Any, budget: Budget | None = None) -> Requester:
    """What a guard holds of approvals, from a path, a URL, a service, or `Approvals` over one.

    Where there are no keys yet they are made: then guard and service are of one account. Raises
    ConfigurationError for anything else, ApprovalsUnavailable where the store can't be reached.
    """
    from guardrails.approvals.service import ApprovalService  # noqa: PLC0415 - brings cryptography

    if isinstance(given, Approvals):
        requester = open_requester(given.where, given.budget)
        requester.sampling = given.sampling
        return requester
    if isinstance(given, Requester):
        given.budget = given.budget if budget is None else budget
        return given
    if isinstance(given, ApprovalService):
        return Requester(given.store, given._people, given.verifier, budget)  # noqa: SLF001 - of one house
    if not isinstance(given, str | os.PathLike):
        raise ConfigurationError("`approvals` is a folder, the URL of a store, or a service")
    from guardrails.approvals.accounts import PeopleFile  # noqa: PLC0415 - brings YAML
    from guardrails.approvals.keys import open_keys, read_verifier  # noqa: PLC0415 - likewise
    from guardrails.approvals.sql_store import SqlStore  # noqa: PLC0415 - brings SQLAlchemy
    from guardrails.approvals.vote import Verifier  # noqa: PLC0415 - likewise

    files = locate(given)
    if os.path.lexists(files.public):
        verifier = read_verifier(files.public)
    else:
        verifier = Verifier([open_keys(files.key, files.public).public])
    return Requester(SqlStore(files.store), PeopleFile(files.people), verifier, budget)


def open_service(where: str | os.PathLike[str] = FOLDER) -> ApprovalService:
    """The service that takes votes, over the store, the accounts and the key found at `where`."""
    from guardrails.approvals.accounts import PeopleFile  # noqa: PLC0415 - as above
    from guardrails.approvals.keys import open_keys  # noqa: PLC0415 - likewise
    from guardrails.approvals.service import ApprovalService  # noqa: PLC0415 - likewise
    from guardrails.approvals.sql_store import SqlStore  # noqa: PLC0415 - likewise

    files = locate(where)
    signer = open_keys(files.key, files.public)
    return ApprovalService(SqlStore(files.store), PeopleFile(files.people), signer)
