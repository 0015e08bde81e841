"""Who is measured: this library, a hand-written dict of closures, and peers.

Each module encodes the workload's rules as its library's own manual would, with whatever its
library offers to make a decision quick (parsed policies kept, audit off).
"""

from benchmarks.contestants.contestant import Absent, Contestant, Kind, Prepared
from benchmarks.contestants.list import CONTESTANTS

__all__ = ["CONTESTANTS", "Absent", "Contestant", "Kind", "Prepared"]
