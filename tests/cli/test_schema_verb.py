from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from guardrails.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def printed_schema() -> dict[str, object]:
    result = CliRunner().invoke(main, ["schema"], prog_name="guardrails")
    assert (result.exit_code, result.stderr) == (0, "")
    schema: dict[str, object] = json.loads(result.stdout)
    return schema


def test_the_printed_schema_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(printed_schema())


def test_it_takes_the_documents_that_load(policies: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.path.parent / "policies"
    document = yaml.safe_load((folder / "payments.yaml").read_text("utf-8"))
    for exemption in document["rules"][2]["unless"]:  # YAML 1.1 reads dates, YAML 1.2 doesn't
        exemption["expires"] = exemption["expires"].isoformat()
    for rule in document["rules"]:
        if "expires" in rule:
            rule["expires"] = rule["expires"].isoformat()
    jsonschema.validate(document, printed_schema())


def test_it_sees_a_misspelt_key() -> None:
    with pytest.raises(jsonschema.ValidationError, match="polcy"):
        jsonschema.validate({"version": 1, "polcy": "x"}, printed_schema())
