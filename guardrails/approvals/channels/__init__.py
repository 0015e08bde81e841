"""Channels: how people learn that they are asked, and how their votes come back."""

from guardrails.approvals.channels.channel import Channel, Notice
from guardrails.approvals.channels.courier import Courier
from guardrails.errors import DeliveryFailed

__all__ = ["Channel", "Courier", "DeliveryFailed", "Notice"]
