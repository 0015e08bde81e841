"""Anchors: what the ends of the chains were, to be kept where the writer of the log can't reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from guardrails.audit.chain import read_strictly
from guardrails.audit.folder import glance
from guardrails.audit.reading import find_logs
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last record of a chain at some time: its place, number and hash.

    `epoch` is that of a sealed chain, else None. Whoever keeps the anchor sets `retired` when the
    files of the chain may be gone, say because their time of retention is over.
    """

    chain: str
    file: str
    sequence: int
    hash: str
    epoch: int | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The anchors of all chains of a log."""

    anchors: tuple[Anchor, ...]

    @property
    def text(self) -> str:
        """The anchors as JSON, which `read_head` reads again."""
        fields = {"format": FORMAT, "anchors": [asdict(anchor) for anchor in self.anchors]}
        return orjson.dumps(fields, option=orjson.OPT_INDENT_2).decode()


def head(path: Path | str) -> Head:
    """The present ends of the chains in a log file or folder, by chain; nothing is verified.

    Raises `LogDamaged` where there is no log, or a file has no readable last record.
    """
    last: dict[str, tuple[int, Anchor]] = {}
    for file in find_logs(path):
        seen = glance(file)
        if seen.problem:
            raise LogDamaged(f"{file}: {seen.problem}; `guardrails audit verify` tells more")
        if seen.last is None:
            continue  # an interrupted start
        epoch = seen.sealing[1] if seen.sealing is not None else None
        end = seen.last
        anchor = Anchor(end.chain, seen.name, end.sequence, end.hash, epoch)
        place = (seen.chain[1], anchor)
        last[anchor.chain] = max(last.get(anchor.chain, place), place, key=lambda p: p[0])
    return Head(tuple(last[chain][1] for chain in sorted(last)))


def read_head(text: str | bytes) -> Head:
    """The anchors in a text that `Head.text` gave; raises `LogDamaged` for anything else."""
    data = read_strictly(text.encode() if isinstance(text, str) else text)
    if type(data) is not dict or data.get("format") != FORMAT:
        raise LogDamaged("not the anchors of a log; `guardrails audit head` prints them")
    anchors = data.get("anchors")
    if type(anchors) is not list or data.keys() != {"format", "anchors"}:
        raise LogDamaged("not the anchors of a log; `guardrails audit head` prints them")
    return Head(tuple(map(_read_anchor, anchors)))


def _read_anchor(data: Any) -> Anchor:
    forms = {"chain": str, "file": str, "sequence": int, "hash": str, "retired": bool}
    if (
        type(data) is not dict
        or data.keys() - {"epoch", "retired"} != forms.keys() - {"retired"}
        or any(type(data[name]) is not form for name, form in forms.items() if name in data)
        or type(data.get("epoch")) not in (int, type(None))
    ):
        raise LogDamaged("not an anchor of a log: a field is missing, unknown or of another kind")
    return Anchor(**data)
