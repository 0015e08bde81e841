"""The version of the distribution `policy-guardrails`."""

__version__ = "0.1.0"
