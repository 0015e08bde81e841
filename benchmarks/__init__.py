"""Measurements of this library, beside its peers, on the machine at hand.

`python -m benchmarks.decide`, `.call`, `.load`, `.reload` and `.imports` each print a table and,
with `--json FILE`, write their figures; `docs/benchmarks.md` tells what they mean.
"""
