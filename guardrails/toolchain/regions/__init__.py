"""What a rule can match at all, decided from its text: exactly, as far as that can be decided.

A condition becomes a formula over terms (`outcomes`), each of which lies in a region of values
(`region`); what the policies declare bounds the terms (`world`). So does a rule as a whole
(`matching`). A search then tells whether values are left for which formulas hold (`search`), and
with that it is told how rules stand to one another (`reach`).
"""

from guardrails.toolchain.regions.reach import Reach

__all__ = ["Reach"]
