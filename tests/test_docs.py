"""Every code block of the README, of `docs/` and of `cookbook/` is run.

The blocks of one page are run in order, in one empty folder and, for Python, in one namespace:

- `python`: is executed. One that starts with `>>>` is checked as a doctest, where `...` in the
  output stands for anything.
- `yaml` whose first line is a comment with a file name (`# policies/payments.yaml`) is written
  there; any other must be YAML.
- `toml` and `rego` likewise.
- `json NAME` is written to the file NAME; any other must be JSON.
- `console`: each line after `$ ` is a command for the shell; what follows is what it prints, on
  either stream, where `...` stands for anything. `$ cd` has no lasting effect.
- `sh` is for commands that change the reader's machine, and `text` for what is no code; neither
  is run, but every `make` target that `sh` names must exist.

Each recipe of `cookbook/` is a folder with a `main.py`, which must print what `expected.txt` says,
where `...` stands for anything.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("cookbook/**/*.md"),
    ]
)
RECIPES = sorted(ROOT.glob("cookbook/*/main.py"))

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_COMMENT = re.compile(r"# (?P<name>[\w./-]+\.(?:yaml|yml|py|toml|rego))\n")
TARGET = re.compile(r"^make (?P<target>[a-z]+)", re.MULTILINE)
DOCTEST_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `place` is where its text starts, as `page:line`."""

    place: str
    language: str
    file: str
    text: str
    line: int


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        language, _, file = found["info"].partition(" ")
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(f"{relative(page)}:{line}", language, file, found["text"], line)


def run_python(block: Block, namespace: dict[str, object]) -> None:
    if block.text.startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(
            block.text, namespace, block.place, block.place, block.line - 1
        )
        test.globs = namespace  # so that names stay for the blocks that follow
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=DOCTEST_OPTIONS)
        runner.run(test, out=report.append, clear_globs=False)
        assert not report, "".join(report)
    else:
        if name := FILE_COMMENT.match(block.text):
            write(name["name"], block.text)
        code = "\n" * (block.line - 1) + block.text
        exec(compile(code, block.place, "exec"), namespace)


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def run_yaml(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    yaml.safe_load(block.text)
    if name := FILE_COMMENT.match(block.text):
        write(name["name"], block.text)


def run_toml(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    tomllib.loads(block.text)
    if name := FILE_COMMENT.match(block.text):
        write(name["name"], block.text)


def run_rego(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    if name := FILE_COMMENT.match(block.text):
        write(name["name"], block.text)


def run_json(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    json.loads(block.text)
    if block.file:
        write(block.file, block.text)


def run_console(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not commands[0], f"{block.place}: what stands before the first `$ `?"
    for part in commands[1:]:
        command, _, expected = part.partition("\n")
        done = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100"},
        )
        same = doctest.OutputChecker().check_output(expected, done.stdout, DOCTEST_OPTIONS)
        assert same, f"{block.place}: `{command}` printed\n{done.stdout}\nand not\n{expected}"


def check_targets(block: Block, namespace: dict[str, object]) -> None:
    del namespace
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in TARGET.findall(block.text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{block.place}: make {target}?"


def leave(block: Block, namespace: dict[str, object]) -> None:
    """Do nothing: text is no code."""


RUNNERS = {
    "python": run_python,
    "yaml": run_yaml,
    "toml": run_toml,
    "rego": run_rego,
    "json": run_json,
    "console": run_console,
    "sh": check_targets,
    "text": leave,
}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_code_blocks_of_a_page_do_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in blocks(page):
        assert block.language in RUNNERS, f"{block.place}: what is `{block.language}`?"
        RUNNERS[block.language](block, module.__dict__)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.parent.name)
def test_a_recipe_prints_what_it_promises(recipe: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(recipe)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    expected = (recipe.parent / "expected.txt").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout
    same = doctest.OutputChecker().check_output(expected, done.stdout, DOCTEST_OPTIONS)
    assert same, f"{relative(recipe)} printed\n{done.stdout}\nand not\n{expected}"


def test_every_recipe_is_listed() -> None:
    listed = (ROOT / "cookbook" / "README.md").read_text(encoding="utf-8")
    assert RECIPES
    assert [path.parent.name for path in RECIPES if f"({path.parent.name}/" not in listed] == []


LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []
