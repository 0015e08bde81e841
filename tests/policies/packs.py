"""The packs as an organisation has them: edited where they say so, without their examples."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "policies"
INCIDENTS = Path(__file__).parent / "incidents"

EDITED = {
    "baseline": (
        'example.baseline.forecast: "sha256:9f86d081"',
        'postmark.send: "sha256:9f86d081"',
    ),
}
"""What the incidents' organisation has changed in the constants of a pack."""


def pack_names() -> list[str]:
    """The names of all packs, sorted."""
    return sorted(folder.name for folder in PACKS.iterdir() if folder.is_dir())


def adopted() -> dict[str, str]:
    """The documents of all packs by file name, ready to be loaded beside a manifest."""
    texts = {}
    for name in pack_names():
        text = (PACKS / name / f"{name}.yaml").read_text(encoding="utf-8")
        old, new = EDITED.get(name, ("", ""))
        assert old in text
        texts[f"packs/{name}.yaml"] = text.replace(old, new) if old else text
    return texts


def incident(name: str) -> dict[str, str]:
    """The files of an incident beside those of all packs."""
    own = {
        f"{name}{end}": (INCIDENTS / f"{name}{end}").read_text(encoding="utf-8")
        for end in (".yaml", "_test.yaml")
    }
    return {**adopted(), **own}


def incident_names() -> list[str]:
    """The names of all incidents, in the order of the catalogue."""
    return sorted(path.stem for path in INCIDENTS.glob("*.yaml") if "_test" not in path.name)
