"""Legs → medians → the lines of issue 3 §9, each target with ok or miss, and whether the run is void."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.sync.corpus import Corpus
from bench.sync.leg import Leg

Line = dict[str, object]


@dataclass
class Table:
    legs: dict[tuple[str, str], list[Leg]] = field(default_factory=lambda: defaultdict(list))
    written: dict[tuple[str, str], list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    short: set[str] = field(default_factory=set)  # records, links or gaps that were not there afterwards
    ceiling: float = 0.0  # rec/s of a bare fetch
    small_rss: int = 0  # MB of a worker at a fifth of the records
    chain: float = 0.0  # seconds of the longest cursor chain, with slow pages
    shared: float = 0.0  # seconds of all slow pages, shared by the calls at once

    def add(self, case: str, contender: str, leg: Leg, written: dict[str, float]) -> None:
        self.legs[case, contender].append(leg)
        self.written[case, contender].append(written)

    def seconds(self, case: str, contender: str) -> float:
        return median(leg.seconds for leg in self.legs[case, contender])

    def busy(self, case: str, contender: str) -> float:
        return median(leg.busy for leg in self.legs[case, contender])

    def figure(self, case: str, contender: str, name: str) -> float:
        return median(written[name] for written in self.written[case, contender])

    def rss(self, case: str) -> int:
        return max(leg.rss_mb for leg in self.legs[case, "ours"])

    def times(self, case: str, longer: str, shorter: str) -> float:
        """Median of the rounds, each by itself: between rounds a machine's speed changes by more than we look for."""
        return median(self.ratios(case, longer, shorter))

    def ratios(self, case: str, longer: str, shorter: str) -> list[float]:
        """By round; the slowest contenders run in the first one only."""
        pairs = zip(self.legs[case, longer], self.legs[case, shorter], strict=False)
        return [one.seconds / other.seconds for one, other in pairs]

    def lines(self, made: Corpus) -> Iterator[Line]:
        for case in ("first", "unchanged", "changed", "slow"):
            yield self.row(case, made)
        yield from self.targets(made)
        yield from self.validity(made)

    def row(self, case: str, made: Corpus) -> Line:
        names = [name for of, name in self.legs if of == case]
        seconds = {f"{name}_s": round(self.seconds(case, name), 2) for name in names}
        speed = {f"{name}_rec_s": round(made.total / self.seconds(case, name)) for name in names}
        return {
            "table": case,
            **seconds,
            **speed,
            "vs_copy": round(self.times(case, "ours", "copy"), 2),
            "by_round": [round(ratio, 2) for ratio in self.ratios(case, "ours", "copy")],
            "cpu_vs_copy": round(self.busy(case, "ours") / self.busy(case, "copy"), 2),
            "vs_dlt": round(self.times(case, "dlt", "ours"), 2),
            "dead": self.figure(case, "ours", "dead"),
            "rewritten": self.figure(case, "ours", "rewritten"),
            "wal_mb": self.figure(case, "ours", "wal_mb"),
            "copy_wal_mb": self.figure(case, "copy", "wal_mb"),
            "rss_mb": self.rss(case),
        }

    def targets(self, made: Corpus) -> Iterator[Line]:
        yield at_most("vs_copy", self.times("first", "ours", "copy"), 2, floor=3)
        yield at_least("vs_dlt", self.times("first", "dlt", "ours"), 3, floor=2)
        yield at_least("vs_dlt_default", self.times("first", "dlt_default", "ours"), 15)
        yield at_least("changed_vs_dlt", self.times("changed", "dlt", "ours"), 4)
        yield at_most("unchanged_dead_rows", self.figure("unchanged", "ours", "dead"), 0)
        yield at_most("unchanged_rewritten_rows", self.figure("unchanged", "ours", "rewritten"), 0)
        wal = self.figure("unchanged", "ours", "wal_mb") / self.figure("first", "ours", "wal_mb")
        yield at_most("unchanged_wal_of_first", wal, 0.1)
        limits = {"shared_s": self.shared, "chain_s": self.chain, "own_s": self.seconds("first", "ours")}
        longest = max(limits.values())
        shown = {name: round(seconds, 2) for name, seconds in limits.items()}
        yield at_most("slow_vs_longest", self.seconds("slow", "ours") / longest, 1.5) | shown
        yield at_most("rss_mb", self.rss("first"), 200)
        yield at_most("rss_250k_vs_50k", self.rss("first") / self.small_rss, 1.1) | {
            "rss_50k_mb": self.small_rss
        }

    def validity(self, made: Corpus) -> Iterator[Line]:
        """What makes the run itself worth something."""
        fastest = max(made.total / min(leg.seconds for leg in legs) for legs in self.legs.values())
        by_dlt = {case: self.times(case, "dlt", "copy") for case in ("first", "unchanged", "changed")}
        yield at_least("stub_ceiling_vs_fastest", self.ceiling / fastest, 2) | {
            "ceiling_rec_s": round(self.ceiling)
        }
        yield at_least("copy_vs_dlt", by_dlt["first"], 5) | {
            f"copy_vs_dlt_{case}": round(value, 2) for case, value in by_dlt.items() if case != "first"
        }
        void = [
            why for why, so in (("slow baseline", by_dlt["first"] < 5), ("short", bool(self.short))) if so
        ]
        yield {
            "run": "void" if void else "counts",
            "because": ", ".join(void) or "-",
            "short": sorted(self.short),
        }


def at_most(target: str, value: float, limit: float, floor: float | None = None) -> Line:
    return judged(target, value, f"<={limit:g}", value <= limit, floor is not None and value <= floor)


def at_least(target: str, value: float, limit: float, floor: float | None = None) -> Line:
    return judged(target, value, f">={limit:g}", value >= limit, floor is not None and value >= floor)


def judged(target: str, value: float, wanted: str, met: bool, floor_met: bool) -> Line:
    return {
        "target": target,
        target: round(value, 2),
        "wanted": wanted,
        "says": "ok" if met else "miss, within the floor" if floor_met else "miss",
    }
