"""The JSON Schema for editors in the language server that most editors use for YAML.

It installs nothing: `npm install --prefix FOLDER yaml-language-server` does, and the variable
`YAML_LANGUAGE_SERVER` names its program where it is not on the path. Without it the tests are
skipped and say so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.language.schema import json_schema
from tests.editors.language_server import LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = os.environ.get("YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None,
        reason="no yaml-language-server: npm install it and set YAML_LANGUAGE_SERVER",
    ),
]

SETTINGS = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}

GOOD = """\
version: 1
policy: payments
tools:
  pay:
    traits: [spend]
    arguments:
      to: {type: string, kind: recipient}
    required: [to]
rules:
  - id: small
    effect: allow
    tools: pay
"""


@pytest.fixture(params=["modeline", "setting"])
def editor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Editor]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies.schema.json").write_text(json.dumps(json_schema()))
    settings: dict[str, Any] = dict(SETTINGS)
    if request.param == "setting":
        settings |= settings_of_the_page()
    assert PROGRAM is not None
    with LanguageServer([PROGRAM, "--stdio"], tmp_path, {"yaml": settings}) as server:
        yield Editor(server, tmp_path, modeline=request.param == "modeline")


def settings_of_the_page() -> dict[str, Any]:
    """The settings that `docs/how-to/edit-in-an-editor.md` tells readers to have."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "edit-in-an-editor.md"
    block = r"^```json \.vscode/settings\.json\n(.*?)^```"
    found = re.search(block, page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return {"schemas": json.loads(found[1])["yaml.schemas"]}


class Editor:
    """An editor in which files of a policy folder are opened."""

    def __init__(self, server: LanguageServer, root: Path, *, modeline: bool) -> None:
        self.server = server
        self._root = root
        self._modeline = modeline

    def open(self, text: str, name: str = "p.yaml") -> tuple[Path, list[tuple[int, str]]]:
        """The file, and what the server says of it by line, the modeline not counted."""
        file = self._root / "policies" / name
        line = "# yaml-language-server: $schema=../policies.schema.json\n"
        file.write_text(line + text if self._modeline else text)
        found = self.server.open(file)
        return file, [(self._line(each), each["message"]) for each in found]

    def _line(self, diagnostic: dict[str, Any]) -> int:
        return int(diagnostic["range"]["start"]["line"]) + (0 if self._modeline else 1)

    def complete(self, file: Path, line: int, column: int) -> list[str]:
        return self.server.complete(file, line + self._modeline, column)

    def hover(self, file: Path, line: int, column: int) -> str:
        return self.server.hover(file, line + self._modeline, column)


def test_nothing_is_said_of_a_good_document(editor: Editor) -> None:
    assert editor.open(GOOD)[1] == []


def test_what_is_wrong_is_said_where_it_stands(editor: Editor) -> None:
    bad = (
        GOOD.replace("effect: allow", "effect: alow")
        .replace("type: string", "type: strin")
        .replace("policy: payments", "policy: Pay Ments")
        .replace("    tools: pay\n", "    tool: pay\n")
    )
    _, found = editor.open(bad)
    assert {line for line, _ in found} == {2, 7, 10, 11, 12}
    told = dict(found)
    assert told[11] == 'Value is not accepted. Valid values: "allow", "escalate", "deny".'
    assert "tool is not allowed" in told[12]
    assert "does not match the pattern" in told[2]


def test_keys_values_and_kinds_are_completed(editor: Editor) -> None:
    text = GOOD.replace("effect: allow", "effect: ").replace("kind: recipient", "kind: ")
    file, _ = editor.open(text + "    \n")
    assert {"allow", "escalate", "deny"} <= set(editor.complete(file, 11, 13))
    assert {"recipient", "amount"} <= set(editor.complete(file, 7, 32))
    assert {"when", "unless", "message", "approval"} <= set(editor.complete(file, 13, 5))


def test_a_key_is_explained(editor: Editor) -> None:
    file, _ = editor.open(GOOD)
    assert "the strictest of all that match wins" in editor.hover(file, 11, 6)


def test_files_of_tests_are_left_alone(editor: Editor) -> None:
    if editor._modeline:
        pytest.skip("a modeline stands in the files that it is for")
    assert editor.open("version: 1\ntests: payments\ncases: []\n", "pay_test.yaml")[1] == []
