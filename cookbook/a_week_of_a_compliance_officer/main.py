"""A week of a compliance officer: edit, lint, test, explain, and a running agent that follows.

Support may give customers up to 50 back and asks for 80. All week an agent runs by the same folder
that she edits; it takes on every change that loads, and no other.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import guardrails

HERE = Path(__file__).parent
PLACE = Path(tempfile.mkdtemp())
POLICY, TESTS = PLACE / "policies" / "refunds.yaml", PLACE / "policies" / "refunds_test.yaml"

shutil.copytree(HERE / "policies", PLACE / "policies")
guard = guardrails.Guard.load(PLACE / "policies", log=PLACE / "log", watch=True)


@guard.tool("orders.refund")
def refund(order: str, amount: float) -> str:
    """Give a customer money back."""
    return f"{amount} given back for order {order}"


def the_agent_refunds(amount: float) -> None:
    """Let the agent try, and print what it is told."""
    with guard.session(subject="agent-7", roles=["support"]):
        try:
            print(f"  agent: {refund('123456', amount)}")
        except (guardrails.ActionDenied, guardrails.ApprovalRequired) as error:
            print(f"  agent: {error}")


def edit(file: Path, old: str, new: str) -> None:
    """Save a change, and wait until the guard has loaded it or said why not."""
    before = guard.health()
    file.write_text(file.read_text().replace(old, new))
    while file == POLICY and guard.health()[::2] == before[::2]:
        time.sleep(0.01)


def run(*command: str) -> None:
    """Run a verb as she does in a terminal."""
    print(f"$ guardrails {' '.join(command)}")
    done = subprocess.run(
        [sys.executable, "-m", "guardrails", *command],
        cwd=PLACE,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout + done.stderr)


print("MONDAY: she raises the limit, and mistypes")
edit(POLICY, "arguments.amount <= 50", "arguments.amout <= 80")
run("lint", "policies")
the_agent_refunds(20)

print("\nTUESDAY: mended; but 60 still goes to finance. Why?")
edit(POLICY, "arguments.amout", "arguments.amount")
run("lint", "policies")
the_agent_refunds(60)
call = {"tool": "orders.refund", "arguments": {"order": "123456", "amount": 60}}
who = {"subject": {"id": "agent-7", "roles": ["support"]}}
(PLACE / "refund.json").write_text(json.dumps(call | who))
run("explain", "-p", "policies", "refund.json")

print("WEDNESDAY: the other rule moves too, and the tests hold her to what was agreed")
edit(POLICY, " 50", " 80")
run("test", "policies")
edit(TESTS, "[50.01, 51, 5000]", "[80.01, 81, 5000]")
run("test", "policies")
the_agent_refunds(60)

print("\nTHURSDAY: gift vouchers can't be given back; a rule without a test is noticed")
voucher = """
  - id: no-vouchers
    effect: deny
    tools: orders.refund
    when: arguments.order.startsWith("9")
    message: Gift vouchers can't be given back.
"""
edit(POLICY, "need somebody from finance.\n", "need somebody from finance.\n" + voucher)
run("lint", "policies")
case = """
  - name: a voucher is not given back
    given: agent
    action: {tool: orders.refund, arguments: {order: "912345", amount: 20}}
    rules: [refunds/goodwill, refunds/no-vouchers]
"""
TESTS.write_text(TESTS.read_text() + case)
run("lint", "policies")
run("test", "--coverage", "policies")

print("FRIDAY: what the running agent took on this week, by its own log")
guard.close()
for file in sorted((PLACE / "log").glob("*.jsonl")):
    for record in map(json.loads, file.read_text().splitlines()):
        if record["kind"] == "load" and "differences" in record:
            rules = record["differences"]["rules"]
            print("  in force:", {kind: names for kind, names in rules.items() if names})
        elif record["kind"] == "load_failed":
            print("  left aside:", record["error"].splitlines()[0].partition("refunds.yaml:")[2])

shutil.rmtree(PLACE)
