"""The folder that a guard's policies come from: loaded, watched, loaded anew, swapped whole."""

from guardrails.source.policies import ERROR_LENGTH, Health, PolicySource, load_policies

__all__ = ["ERROR_LENGTH", "Health", "PolicySource", "load_policies"]
