"""`python -m guardrails`: the command line without its script."""

from __future__ import annotations

from guardrails.cli import main

if __name__ == "__main__":
    main(prog_name="guardrails")
