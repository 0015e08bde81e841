from __future__ import annotations

import importlib.util
from pathlib import Path

GENERATOR = Path(__file__).resolve().parents[2] / "docs" / "reference" / "generate_cli.py"


def test_the_reference_of_the_command_line_is_what_its_help_says() -> None:
    spec = importlib.util.spec_from_file_location("generate_cli", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    written = GENERATOR.with_name("cli.md").read_text("utf-8")
    assert written == generator.page(), "run `python docs/reference/generate_cli.py`"
