"""Watching before enforcing: an observed rule, and tools that have no policy yet.

Everything runs here. The decision log tells what would have been refused, which is the list to
work through before the switches are turned.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import guardrails


@guardrails.tool("crm.find")
def find(name: str) -> str:
    """Look a customer up."""
    return f"found {name}"


@guardrails.tool("crm.export")
def export(rows: int) -> str:
    """Export customers."""
    return f"exported {rows} rows"


@guardrails.tool("legacy.sync")
def sync() -> str:
    """Do what nobody has written a policy for."""
    return "synchronised"


def report(log: Path) -> None:
    """Print what the log says would not have run."""
    print("\nwould not have run:")
    for file in log.glob("*.jsonl"):
        for line in file.read_text().splitlines():
            record = json.loads(line)
            if record["kind"] == "decision" and record["result"]["would"] != "allow":
                result = record["result"]
                rules = [match["rule"] for match in result["matches"] if match["observed"]]
                print(f"  {record['input']['tool']}: {', '.join(rules) or result['code']}")


with TemporaryDirectory() as log:
    policies = Path(__file__).parent / "policies"
    guard = guardrails.Guard.load(policies, log=log, observe=["legacy.*"])
    with guard.session(subject="crm-bot"):
        print(find("Ada"), export(20), export(5000), sync(), sep="\n")
    report(Path(log))
