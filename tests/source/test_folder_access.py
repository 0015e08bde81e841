"""Whether a process could change the files that it obeys, as any user that it runs as."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardrails.source.folder_access import may_change

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOBODY = 65534

AS_NOBODY = """
import os, sys
from guardrails.source.folder_access import may_change
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
print(may_change(sys.argv[1]))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder to which every user finds, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.fixture
def folder(place: Path) -> Path:
    folder = place / "policies"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "p.yaml").write_text("a")
    return folder


def nobody_may_change(path: Path) -> bool:
    if os.geteuid() != 0:
        pytest.skip("only root can try what another user may do")
    command = [sys.executable, "-c", AS_NOBODY, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout == "True\n"


def test_who_owns_the_files_may_change_them(folder: Path) -> None:
    (folder / "deep" / "p.yaml").chmod(0o400)
    (folder / "deep").chmod(0o500)
    folder.chmod(0o500)
    assert may_change(str(folder))


def test_who_may_only_read_may_not_change(folder: Path) -> None:
    assert not nobody_may_change(folder)


def test_cycles_of_links_are_walked_once(folder: Path) -> None:
    for name in ("a", "b", "c"):
        (folder / name).symlink_to(folder)
    (folder / "gone.yaml").symlink_to("nowhere")
    assert not nobody_may_change(folder)


@pytest.mark.parametrize("path", ["", "deep", "deep/p.yaml"])
def test_one_file_or_folder_that_may_be_written_is_enough(folder: Path, path: str) -> None:
    (folder / path).chmod(0o777)
    assert nobody_may_change(folder)


def test_who_owns_a_file_may_let_itself_write(folder: Path) -> None:
    file = folder / "deep" / "p.yaml"
    file.chmod(0o444)
    if os.geteuid() == 0:
        os.chown(file, NOBODY, NOBODY)
    assert nobody_may_change(folder)


def test_who_may_write_the_folder_above_may_exchange_the_policies(
    place: Path, folder: Path
) -> None:
    place.chmod(0o777)
    assert nobody_may_change(folder)


def test_in_a_sticky_folder_only_owners_rename(place: Path, folder: Path) -> None:
    place.chmod(0o1777)
    assert not nobody_may_change(folder)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    assert nobody_may_change(folder)


def test_a_link_leads_to_what_counts(place: Path, folder: Path) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "q.yaml").write_text("a")
    (folder / "q.yaml").symlink_to(elsewhere / "q.yaml")
    (place / "current").symlink_to(folder)
    assert not nobody_may_change(place / "current")
    elsewhere.chmod(0o777)
    assert nobody_may_change(place / "current")


def test_a_folder_that_is_not_there_may_be_put_there(place: Path) -> None:
    assert not nobody_may_change(place / "policies")
    place.chmod(0o777)
    assert nobody_may_change(place / "policies")


def test_one_file_may_be_exchanged_too(folder: Path) -> None:
    file = folder / "deep" / "p.yaml"
    assert not nobody_may_change(file)
    (folder / "deep").chmod(0o777)
    assert nobody_may_change(file)


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be a user who owns nothing and may write nothing."""
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)


@pytest.mark.usefixtures("stranger")
def test_a_stranger_may_change_nothing(place: Path, folder: Path) -> None:
    (folder / "gone.yaml").symlink_to("nowhere")
    assert not may_change(str(folder))
    assert not may_change(str(place / "none" / "at" / "all"))


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(
    ("writable", "path", "may"),
    [
        ("policies", "policies", True),
        ("", "policies", True),
        ("", "new", True),
        ("sticky", "sticky/policies", False),
    ],
)
def test_a_stranger_with_one_writable_folder(
    place: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    writable: str,
    path: str,
    *,
    may: bool,
) -> None:
    (place / "sticky" / "policies").mkdir(parents=True)
    (place / "sticky").chmod(0o1777)
    own = str(place / writable) if writable else str(place)
    monkeypatch.setattr(os, "access", lambda each, *_, **__: each == own)
    assert folder.is_dir()
    assert may_change(str(place / path)) is may
