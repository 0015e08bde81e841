"""A CI step: known actions must be decided as they were when the policies were last reviewed.

`guardrails check --batch` answers every line of `actions.jsonl` with one decision. Whoever changes
a policy so that an answer changes must change `effects.txt` too, and a reviewer sees it.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "guardrails", "check", "--batch", "--format", "json"]

done = subprocess.run(
    [*COMMAND, "--policies", HERE / "policies", HERE / "actions.jsonl"],
    capture_output=True,
    text=True,
    check=False,
)
if done.returncode == 2:
    sys.exit(f"the policies don't load:\n{done.stderr}")

actions = (HERE / "actions.jsonl").read_text().splitlines()
reviewed = (HERE / "effects.txt").read_text().splitlines()
decided = [json.loads(line)["effect"] for line in done.stdout.splitlines()]
different = 0
for action, before, now in zip(actions, reviewed, decided, strict=True):
    print(f"{now:8} {action}" + ("" if now == before else f"   was {before}"))
    different += now != before
sys.exit(f"{different} decided differently" if different else 0)
