"""Where the project's shared data is, beside the project's folder; it may be absent."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
