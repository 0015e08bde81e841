"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,  # a loaded machine is no fault of the code
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")
