"""The contestants, in the order of the table."""

from __future__ import annotations

from benchmarks.contestants import casbin, cedar, closures, governance, ours, rego

CONTESTANTS = (
    closures.CLOSURES,
    ours.OURS,
    governance.EVALUATOR,
    governance.GOVERN,
    cedar.CEDAR,
    casbin.CASBIN,
    casbin.CASBIN_INDEXED,
    rego.REGO,
    rego.REGO_INDEXED,
)
