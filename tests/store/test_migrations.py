"""Tables come to their present version by steps: once, whole, and whoever comes meanwhile."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, text

from guardrails.errors import StateUnavailable
from guardrails.store.connections import Connections
from guardrails.store.database import Database
from guardrails.store.urls import read_url
from tests.store.schemas import make_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    Execute = Callable[[str], list[tuple[object, ...]]]

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = "SELECT version FROM thing_versions ORDER BY version"


def tables(where: str) -> set[str]:
    """The tables that are there."""
    connections = Connections(read_url(where))
    with connections.reading() as connection:
        found = set(inspect(connection).get_table_names())
    connections.close()
    return found


def bring_up(where: str, versions: int = 3, unversioned: str = "") -> None:
    Database.at(where, make_schema(versions, unversioned=unversioned)).close()


def test_what_is_not_there_goes_through_every_step(where: str, execute: Execute) -> None:
    bring_up(where)
    assert tables(where) == {"thing_versions", "thing_1", "thing_2", "thing_3"}
    assert execute(VERSIONS) == [(1,), (2,), (3,)]


def test_an_older_version_goes_through_the_steps_after_it(where: str, execute: Execute) -> None:
    bring_up(where, 1)
    execute("DROP TABLE thing_1")
    bring_up(where)
    assert tables(where) == {"thing_versions", "thing_2", "thing_3"}
    assert execute(VERSIONS) == [(1,), (2,), (3,)]


def test_the_present_version_is_written_to_no_more(where: str, execute: Execute) -> None:
    bring_up(where)
    before = execute("SELECT * FROM thing_versions ORDER BY version")
    bring_up(where)
    assert execute("SELECT * FROM thing_versions ORDER BY version") == before


def test_a_later_version_is_refused_and_left_as_it_is(where: str, execute: Execute) -> None:
    bring_up(where, 3)
    with pytest.raises(StateUnavailable) as refused:
        bring_up(where, 2)
    assert str(refused.value) == (
        "the box is of version 3, written by a later release; this one knows version 2: upgrade it"
    )
    assert execute(VERSIONS) == [(1,), (2,), (3,)]


def test_tables_from_before_versions_were_kept_are_of_version_1(
    where: str, execute: Execute
) -> None:
    bring_up(where, 1)
    execute("DROP TABLE thing_versions")
    bring_up(where, 1, unversioned="thing_1")
    assert tables(where) == {"thing_1"}
    bring_up(where, 2, unversioned="thing_1")
    assert tables(where) == {"thing_versions", "thing_1", "thing_2"}
    assert execute(VERSIONS) == [(1,), (2,)]


def test_the_tables_that_a_schema_rests_on_are_brought_up_first(where: str) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[Connection], None]:
        return lambda _: order.append(name)

    below = replace(make_schema(0), versions="below_versions", steps=(note("below"),))
    above = replace(make_schema(0), steps=(note("above"),), rests_on=below)
    Database.at(where, above).close()
    assert order == ["below", "above"]
    assert tables(where) == {"below_versions", "thing_versions"}


def test_a_later_version_of_what_a_schema_rests_on_is_refused_in_its_kind_of_error(
    where: str,
) -> None:
    bring_up(where, 3)
    below = replace(make_schema(2), unavailable=RuntimeError)  # type: ignore[arg-type]
    above = replace(make_schema(1), versions="above_versions", rests_on=below)
    with pytest.raises(StateUnavailable, match="is of version 3, written by a later release"):
        Database.at(where, above)
    assert "above_versions" not in tables(where)


def test_a_step_that_fails_undoes_all_that_its_migration_did(where: str) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (id BIGINT)"))
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    broken = make_schema(2)
    broken = replace(broken, steps=(*broken.steps, fail))
    with pytest.raises(StateUnavailable, match=r"^the box can't be used: .*nowhere"):
        Database.at(where, broken)
    assert tables(where) == set()
    bring_up(where)
    assert tables(where) == {"thing_versions", "thing_1", "thing_2", "thing_3"}


def start(where: str, pause_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.schemas", where, str(pause_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_of_processes_that_migrate_at_once_one_does_and_all_go_on(
    where: str, execute: Execute
) -> None:
    started = [start(where, 0.2) for _ in range(3)]
    told = [process.communicate(timeout=60)[0].split() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert sorted(told) == [[], [], ["thing_1", "thing_2", "thing_3"]]
    assert execute(VERSIONS) == [(1,), (2,), (3,)]


@pytest.mark.parametrize("reached", ["thing_1", "thing_3"])
def test_a_migration_that_is_killed_leaves_nothing_and_is_done_by_the_next(
    where: str, execute: Execute, reached: str
) -> None:
    process = start(where, 0.3)
    assert process.stdout is not None
    assert any(line.strip() == reached for line in process.stdout)
    process.kill()
    process.wait()
    process.stdout.close()
    assert tables(where) == set()
    bring_up(where)
    assert tables(where) == {"thing_versions", "thing_1", "thing_2", "thing_3"}
    assert execute(VERSIONS) == [(1,), (2,), (3,)]
