"""What a rule can match at all, decided from its text: exactly, as far as that can be decided.

A condition becomes a formula over terms (`formula`), each of which lies in a region of values
(`region`); what the policies declare bounds the terms (`world`); a search (`search`) then tells
whether values are left for which rules match (`reach`).
"""

from guardrails.toolchain.regions.reach import Reach

__all__ = ["Reach"]
