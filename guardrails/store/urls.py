"""Where a database is, as people say it: the path of a file, or a URL."""

from __future__ import annotations

import os

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from guardrails.errors import ConfigurationError


def read_url(where: str | os.PathLike[str]) -> URL:
    """The URL of a store: of a file's path, or as given. Raises ConfigurationError for others."""
    given = os.fspath(where)
    if "://" not in given:
        return make_url("sqlite://").set(database=given)
    try:
        url = make_url(given)
    except ArgumentError:
        # It may hold a password, so the error doesn't repeat it.
        raise ConfigurationError(
            "the URL of the store can't be read: write `postgresql://account@host/database`"
        ) from None
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ConfigurationError("a store outlives the process: name a file for it")
        return url
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(f"a store is kept in SQLite or PostgreSQL, not in `{kind}`")
