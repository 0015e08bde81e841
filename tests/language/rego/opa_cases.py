"""Evaluates OPA's cases with the embedded engine: run as a script, a line of JSON for a line.

A process of its own, because a case may crash the engine or run for ever.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import regorus  # type: ignore[import-untyped]


def evaluate(case: dict[str, Any]) -> list[Any]:
    """`["ok", bindings]`, or `["error", why]`."""
    engine = regorus.Engine()
    engine.set_gather_prints(True)
    try:
        for place, module in enumerate(case.get("modules") or []):
            engine.add_policy(f"m{place}.rego", module)
        if "data" in case:
            engine.add_data_json(json.dumps(case["data"]))
        if "input" in case:
            engine.set_input_json(json.dumps(case["input"]))
        answer = json.loads(engine.eval_query_as_json(case["query"]))
    except Exception as error:  # noqa: BLE001 - of the engine
        return ["error", str(error).partition("\n\nStack")[0]]
    found = answer.get("result", [])
    return ["ok", [each.get("bindings", {}) for each in found if _holds(each)]]


def _holds(result: dict[str, Any]) -> bool:
    return all(each["value"] is not False for each in result["expressions"])


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(evaluate(json.loads(line))) + "\n")
        sys.stdout.flush()
