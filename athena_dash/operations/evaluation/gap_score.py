"""What the ledger says of our gaps, of one population or of several added up; and the table of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from athena_dash.core.shares import ratio
from athena_dash.operations.evaluation.score import GAP_COUNTS, Tally
from athena_dash.operations.evaluation.verdicts import Shown, score_verdicts

ENOUGH = 300  # instances of a code, from which its precision and recall mean something
READS = ("made", "failed", "questions", "gaps_closed")


class GapScore(msgspec.Struct, frozen=True, kw_only=True):
    """`tallies` by code, `healed` the same after a night; `confused` by "G13 as G24", as synced; `before` and `after`
    the night's live `reads`.

    `cohorts`: days on which a provider's charges stopped (D6). `on_suppressed`: gaps shown on visits that expect
    nothing more, of rules that do not speak despite it. `unscored`: shown, of codes whose causes no ledger tells,
    because they are definitions (the case book decides those).
    """

    tallies: dict[str, Tally]
    healed: dict[str, Tally]
    confused: Counter[str]
    before: list[Shown]
    after: list[Shown]
    reads: Counter[str]
    cohorts: Tally
    on_suppressed: int
    unscored: Counter[str]

    def __add__(self, other: GapScore) -> GapScore:
        return GapScore(
            tallies=added(self.tallies, other.tallies),
            healed=added(self.healed, other.healed),
            confused=self.confused + other.confused,
            before=self.before + other.before,
            after=self.after + other.after,
            reads=self.reads + other.reads,
            cohorts=self.cohorts + other.cohorts,
            on_suppressed=self.on_suppressed + other.on_suppressed,
            unscored=self.unscored + other.unscored,
        )

    def report(self) -> dict[str, Any]:
        return {
            "gaps": {code: tally.report(*GAP_COUNTS) for code, tally in sorted(self.tallies.items())},
            "gaps after a night": {
                code: tally.report(*GAP_COUNTS) for code, tally in sorted(self.healed.items())
            },
            "confusion": dict(sorted(self.confused.items())),
            "verdicts": {
                "as synced": score_verdicts(self.before),
                "after a night": score_verdicts(self.after),
            },
            "live_reads": {name: self.reads[name] for name in READS} | {"per_100_gaps": self.reads_per_100},
            "cohorts": self.cohorts.report("tp", "fp", "fn"),
            "on_suppressed": self.on_suppressed,
            "unscored": dict(sorted(self.unscored.items())),
        }

    @property
    def reads_per_100(self) -> float | None:
        return ratio(self.reads["made"] * 100, self.reads["gaps"])


def added(ours: dict[str, Tally], theirs: dict[str, Tally]) -> dict[str, Tally]:
    codes = sorted(ours.keys() | theirs.keys())
    return {code: ours.get(code, Tally()) + theirs.get(code, Tally()) for code in codes}


def table(score: GapScore) -> Iterator[str]:
    """The report as Markdown, for people and for docs/evaluation.md."""
    said = score.report()
    yield (
        "| code | instances | tp | fp | of them said | fn | of them held | nearly due "
        "| precision (95 %) | recall (95 %) | after a night |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for code, row in said["gaps"].items():
        instances = row["tp"] + row["fn"]
        healed = score.healed[code]
        few = "" if instances >= ENOUGH else " (few)"
        yield (
            f"| {code} | {instances}{few} | {row['tp']} | {row['fp']} | {row['said']} | {row['fn']} | {row['held']} "
            f"| {row['dont_care']} | {share(row['precision'], row['precision_95'])} "
            f"| {share(row['recall'], row['recall_95'])} | {bare(healed.precision)} / {bare(healed.recall)} |"
        )
    yield ""
    confused = ", ".join(f"{pair} {n}" for pair, n in said["confusion"].items())
    yield f"Confusion of causes: {confused or 'none'}."
    for when, verdicts in said["verdicts"].items():
        left = ", ".join(f"{code} {n}" for code, n in verdicts["unconfirmed"].items())
        yield (
            f"Verdicts {when}: {verdicts['confirmed']} of {verdicts['shown']} confirmed (coverage "
            f"{verdicts['coverage']}), right {share(verdicts['right'], verdicts['right_95'])}; "
            f"not confirmed: {left or 'none'}."
        )
    reads = said["live_reads"]
    yield f"Live reads: {reads['made']}, {reads['per_100_gaps']} per 100 gaps; {reads['failed']} failed."
    days = score.cohorts
    yield f"Days whose charges stopped (D6): {days.tp + days.fn}; shown {days.tp}, others shown {days.fp}."
    yield f"Gaps on suppressed visits: {said['on_suppressed']}."
    unscored = ", ".join(f"{code} {n}" for code, n in said["unscored"].items())
    yield f"Shown of codes that are definitions: {unscored or 'none'}."


def bare(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def share(value: float | None, bounds: tuple[float, float] | None) -> str:
    return f"{value:.4f} ({bounds[0]:.3f}–{bounds[1]:.3f})" if value is not None and bounds else "–"
