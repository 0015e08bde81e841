"""Several kinds of tables over the same connections, and what each says of a failure."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import text

from guardrails.errors import StateUnavailable
from guardrails.store import connections
from guardrails.store.database import Database
from tests.store.schemas import make_schema

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.pool import QueuePool


def test_connections_that_were_given_stay_open(schema: str) -> None:
    owner = Database.at(schema, make_schema())
    guest = Database.at(owner, make_schema())
    pool = cast("QueuePool", owner.connections._engine.pool)
    held = pool.checkedin()
    guest.close()
    assert (held > 0, pool.checkedin()) == (True, held)
    owner.close()
    assert cast("QueuePool", owner.connections._engine.pool).checkedin() == 0


def test_connections_of_tables_that_are_refused_are_given_back(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[connections.Connections] = []
    close = connections.Connections.close

    def note(given: connections.Connections) -> None:
        closed.append(given)
        close(given)

    Database.at(schema, make_schema(3)).close()
    monkeypatch.setattr(connections.Connections, "close", note)
    with pytest.raises(StateUnavailable):
        Database.at(schema, make_schema(2))
    assert len(closed) == 1


def write_and_fail(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("INSERT INTO thing_1 VALUES (1)"))
        raise ZeroDivisionError


def test_a_writer_undoes_what_it_did_when_it_raises(where: str) -> None:
    database = Database.at(where, make_schema(1))
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM thing_1")) == 0
    database.close()


def test_a_failure_is_told_in_the_words_of_the_tables_and_by_its_first_line(where: str) -> None:
    database = Database.at(where, make_schema(1))
    with pytest.raises(StateUnavailable) as failed, database.reading() as connection:
        connection.execute(text("SELECT :secret FROM nowhere"), {"secret": "s3cret"})
    told = str(failed.value)
    assert told.startswith("the box can't be used: ")
    assert "nowhere" in told
    assert ("s3cret" in told, "\n" in told) == (False, False)
    database.close()


def test_a_folder_that_can_hold_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnavailable, match=r"^the box can't be used: "):
        Database.at(tmp_path / "file" / "store.db", make_schema())


def test_a_writer_that_gets_no_turn_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.at(tmp_path / "store.db", make_schema(1))
    monkeypatch.setattr(connections, "LINE_S", 0.05)
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing():
            begun.set()
            end.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait(20)
    with (
        pytest.raises(StateUnavailable, match=r"^the box can't be used: too many write to it$"),
        database.writing(),
    ):
        pass
    end.set()
    holder.join()
    with database.writing() as connection:
        connection.execute(text("INSERT INTO thing_1 VALUES (1)"))


def test_a_child_of_a_fork_has_connections_and_a_line_of_its_own(where: str) -> None:
    database = Database.at(where, make_schema(1))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with database.writing() as connection:
                connection.execute(text("INSERT INTO thing_1 VALUES (1)"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    with database.writing() as connection:
        connection.execute(text("INSERT INTO thing_1 VALUES (2)"))
        assert connection.scalar(text("SELECT count(*) FROM thing_1")) == 2
    database.close()
