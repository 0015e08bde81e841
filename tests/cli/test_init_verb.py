from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrails.cli import main
from guardrails.toolchain.packs import PACKS

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "tests" / "toolchain" / "tools" / "shop_tools.py"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_pack_of_the_catalogue_is_listed_with_what_it_is_for() -> None:
    listed = json.loads(run("init", "--list", "--format", "json").stdout)
    assert tuple(each["pack"] for each in listed) == PACKS
    assert all(len(each["description"]) > 40 for each in listed)
    assert run("init", "--list").stdout.startswith("baseline\n  What every agent is held to")


def test_a_new_folder_has_a_document_of_ones_own_and_the_pack(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    result = run("init", folder, "--pack", "data-flow")
    assert result.exit_code == 0, result.output
    assert files_in(folder) == {
        "agents.yaml",
        "agents_test.yaml",
        "data-flow/README.md",
        "data-flow/data-flow.yaml",
        "data-flow/data-flow_test.yaml",
        "data-flow/example.yaml",
    }


@pytest.mark.parametrize("names", [("baseline",), ("memory", "destructive-ops"), ("all",)])
def test_what_was_started_loads_lints_and_passes_its_tests(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    packs = [word for name in names for word in ("--pack", name)]
    assert run("init", tmp_path / "p", *packs).exit_code == 0
    assert run("lint", tmp_path / "p").exit_code == 0
    assert run("test", tmp_path / "p").exit_code == 0


def test_packs_are_added_to_a_folder_that_has_policies(tmp_path: Path) -> None:
    assert run("init", tmp_path).exit_code == 0
    (tmp_path / "agents.yaml").write_text("version: 1\npolicy: mine\n")
    assert run("init", tmp_path, "--pack", "memory").exit_code == 0
    assert (tmp_path / "agents.yaml").read_text() == "version: 1\npolicy: mine\n"
    assert (tmp_path / "memory" / "memory.yaml").exists()


def test_nothing_is_overwritten_and_nothing_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.yaml").write_text("mine")
    result = run("init", tmp_path, "--pack", "memory", "--pack", "data-flow")
    assert result.exit_code == 2
    assert "memory.yaml: it is there already; nothing was written" in result.stderr
    assert files_in(tmp_path) == {"memory/memory.yaml"}


def test_a_pack_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    result = run("init", tmp_path / "p", "--pack", "dataflow")
    assert result.exit_code == 2
    assert "unknown pack `dataflow`; did you mean `data-flow`?" in result.stderr
    assert not (tmp_path / "p").exists()


def test_tools_of_a_module_are_declared_for_people_to_confirm(tmp_path: Path) -> None:
    result = run("init", tmp_path, "--tools", SHOP, "--format", "json")
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "tools.yaml") in json.loads(result.stdout)["written"]
    assert "# traits: " in (tmp_path / "tools.yaml").read_text()


def test_a_module_without_tools_is_refused(tmp_path: Path) -> None:
    module = tmp_path / "empty.py"
    module.write_text("")
    result = run("init", tmp_path / "p", "--tools", module)
    assert result.exit_code == 2
    assert "has no decorated tools" in result.stderr
