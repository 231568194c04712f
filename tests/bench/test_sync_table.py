"""When a target is met, and when a run of `bench sync` does not count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.sync.corpus import Corpus
from bench.sync.leg import Leg
from bench.sync.table import Table

USED = {"cpu_python": 1.0, "cpu_postgres": 1.0, "rss_mb": 100, "stages": {}, "missing": []}
WRITTEN = {"wal_mb": 10.0, "rewritten": 0, "dead": 0, "rewritten_bookkeeping": 0}
MADE = Corpus(50_000, Path())


def table(seconds: Mapping[str, float]) -> Table:
    made = Table(ceiling=1e6, small_rss=100, chain=5.0, shared=3.1)
    for case in ("first", "unchanged", "changed", "slow"):
        for contender, one in seconds.items():
            made.add(case, contender, Leg(one, (USED,)), WRITTEN)
    return made


GOOD = {"ours": 8.0, "copy": 4.0, "dlt": 29.0, "dlt_default": 180.0}


def says(made: Table) -> dict[str, object]:
    return {str(line["target"]): line["says"] for line in made.lines(MADE) if "target" in line}


def test_twice_the_baseline_is_met_three_times_is_within_the_floor_and_more_is_a_miss() -> None:
    assert says(table(GOOD))["vs_copy"] == "ok"
    assert says(table(GOOD | {"ours": 11.0}))["vs_copy"] == "miss, within the floor"
    assert says(table(GOOD | {"ours": 13.0}))["vs_copy"] == "miss"


def test_the_median_of_the_rounds_counts() -> None:
    made = table(GOOD)
    for one in (8.0, 99.0):
        add_round(made, ours=one, copy=4.0)
    assert says(made)["vs_copy"] == "ok"
    for _ in range(2):
        add_round(made, ours=99.0, copy=4.0)
    assert says(made)["vs_copy"] == "miss"


def test_each_round_is_compared_by_itself_for_the_machine_changes_between_them() -> None:
    made = table(GOOD)  # twice its copy
    add_round(made, ours=20.0, copy=10.0)
    add_round(made, ours=12.0, copy=4.0)
    assert made.ratios("first", "ours", "copy") == [2.0, 2.0, 3.0]
    assert says(made)["vs_copy"] == "ok"


def add_round(made: Table, **seconds: float) -> None:
    for contender, one in seconds.items():
        made.add("first", contender, Leg(one, (USED,)), WRITTEN)


def test_slow_pages_are_held_against_the_longest_of_what_cannot_be_helped() -> None:
    (line,) = [line for line in table(GOOD).lines(MADE) if line.get("target") == "slow_vs_longest"]
    assert line["slow_vs_longest"] == 1.0  # our own 8 s are more than the chain's 5
    assert line["says"] == "ok"


def test_a_run_with_a_slow_baseline_or_missing_records_is_void() -> None:
    *_, last = table(GOOD).lines(MADE)
    assert last["run"] == "counts"
    *_, last = table(GOOD | {"copy": 6.0}).lines(MADE)
    assert (last["run"], last["because"]) == ("void", "slow baseline")
    short = table(GOOD)
    short.short.add("claims:49999/50000")
    *_, last = short.lines(MADE)
    assert (last["run"], last["because"]) == ("void", "short")
