"""The folder that a guard's policies come from: loaded, watched, loaded anew, swapped whole."""

from guardrails.source.policies import Health, PolicySource, load_policies

__all__ = ["Health", "PolicySource", "load_policies"]
