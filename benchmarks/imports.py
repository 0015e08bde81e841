"""How long `import guardrails` takes in a fresh interpreter, and what it brings along."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from time import perf_counter

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts

RUNS = 20

GOAL_NS = 100_000_000
"""What the whole process `python -c "import guardrails"` may take, the interpreter's start in."""

PROGRAM = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter_ns()
import guardrails
elapsed = time.perf_counter_ns() - start
print(json.dumps({"ns": elapsed, "modules": sorted(set(sys.modules) - before)}))
"""


def fresh(program: str) -> tuple[float, str]:
    """Nanoseconds that a new interpreter takes for a program from start to end, and its output."""
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return (perf_counter() - start) * 1e9, done.stdout


def run(runs: int) -> Report:
    """Measure, and report."""
    fresh(PROGRAM)
    bare, whole, inside, modules = [], [], [], []
    for _ in range(runs):
        bare.append(fresh("")[0])
        whole.append(fresh("import guardrails")[0])
        told = json.loads(fresh(PROGRAM)[1])
        inside.append(told["ns"])
        modules = told["modules"]
    medians = {
        "interpreter alone": statistics.median(bare),
        "interpreter and `import guardrails`": statistics.median(whole),
        "`import guardrails`, timed inside": statistics.median(inside),
    }
    process = medians["interpreter and `import guardrails`"]
    goal = f"`import guardrails` in a fresh interpreter: at most {duration(GOAL_NS)}"
    rows = tuple((name, duration(median)) for name, median in medians.items())
    return Report(
        name="imports",
        machine=machine(),
        tables=(
            verdicts([(goal, process <= GOAL_NS, duration(process))]),
            Table(f"Import, median of {runs}", ("", "time"), rows),
        ),
        remarks=(brought_along(modules),),
        figures={"medians_ns": medians, "modules": modules},
    )


def brought_along(modules: list[str]) -> str:
    """What the import loads, in a sentence."""
    standard = sys.stdlib_module_names
    tops = [name.partition(".")[0] for name in modules]
    own = sum(top == "guardrails" for top in tops)
    others = sorted({top for top in tops if top != "guardrails" and top not in standard})
    packages = ", ".join(others) or "none"
    return (
        f"It loads {own} modules of its own and {sum(top in standard for top in tops)} of the "
        f"standard library that the interpreter had not; other packages: {packages}."
    )


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.imports", __doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    options.publish(run(arguments.runs), arguments)


if __name__ == "__main__":
    main()
