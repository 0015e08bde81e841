"""Faults that load cleanly but are wrong, found: the rules, what they look at, what they say."""

from __future__ import annotations

from guardrails.toolchain.lint.report import Report, lint

__all__ = ["Report", "lint"]
