"""Tables of three versions. `python -m tests.store.schemas WHERE PAUSE_S` makes them slowly."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import text

from guardrails.errors import StateUnavailable
from guardrails.store.database import Database
from guardrails.store.schema import Schema

if TYPE_CHECKING:
    from sqlalchemy import Connection


def make_schema(versions: int = 3, pause_s: float = 0.0, unversioned: str = "") -> Schema:
    """A schema whose step 1 makes the table `thing_1`, step 2 `thing_2`, and so on."""
    steps = tuple(partial(make_table, number, pause_s) for number in range(1, versions + 1))
    return Schema("the box", StateUnavailable, "thing_versions", steps, unversioned)


def make_table(number: int, pause_s: float, connection: Connection) -> None:
    """Make a table, and say so before the pause in which its transaction is open."""
    connection.execute(text(f"CREATE TABLE thing_{number} (id BIGINT)"))
    if pause_s:
        sys.stdout.write(f"thing_{number}\n")
        sys.stdout.flush()
        time.sleep(pause_s)


if __name__ == "__main__":
    Database.at(sys.argv[1], make_schema(pause_s=float(sys.argv[2]))).close()
