from __future__ import annotations

import pytest

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions import OVERLOADS
from guardrails.language.cel.functions.signature import charge, charge_text
from tests.language.cel.functions.calls import Meter

NAMES = {
    *("contains", "startsWith", "endsWith", "matches", "charAt", "indexOf", "lastIndexOf", "join"),
    *("lowerAscii", "upperAscii", "replace", "split", "substring", "trim", "reverse", "format"),
    *("strings.quote", "email_domain", "url_host", "domain_within", "path_within", "local"),
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek"),
    *("shell_commands", "sql_statements", "urls", "paths", "emails", "secrets"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds", "origins", "stated", "last_call"),
    *("calls", "successes", "failures", "denials"),
    *("calls_with", "successes_with", "failures_with", "denials_with"),
}


def test_the_functions_are_those_of_the_design() -> None:
    assert set(OVERLOADS) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_overloads_are_named_as_they_are_found_and_differ(name: str) -> None:
    signatures = [
        (tuple(map(str, overload.parameters)), overload.receiver) for overload in OVERLOADS[name]
    ]
    assert {overload.name for overload in OVERLOADS[name]} == {name}
    assert len(set(signatures)) == len(signatures)


def test_work_up_to_the_last_step_is_done() -> None:
    meter = Meter(steps=10)
    charge(meter, 10)
    assert meter.steps == 0
    with pytest.raises(EvaluationError, match=r"^too much work for one condition$"):
        charge(meter, 1)


def test_text_is_charged_a_step_and_one_for_each_64_characters() -> None:
    meter = Meter(steps=10, start=10)
    charge_text(meter, 63)
    assert meter.spent == 1
    charge_text(meter, 64)
    assert meter.spent == 3
    with pytest.raises(EvaluationError, match=r"^too much work for one condition$"):
        charge_text(meter, 10_000)
