"""The rule lab: policies as an admin would have them → what that adds to and removes from the last 90 days' worklist.

Both sides are judged anew in memory, from the same records at the same instant, so that the difference is the
policies' alone. Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from heapq import nlargest
from time import monotonic

import msgspec
from django.db import transaction
from msgspec import structs

from athena_dash.core import clock
from athena_dash.correlation import dossier
from athena_dash.correlation.coverage_sql import covered_by
from athena_dash.correlation.estimate import Learned
from athena_dash.correlation.judge import FoundGap, judge_visit
from athena_dash.correlation.learned_sql import learned_of
from athena_dash.correlation.models import Visit
from athena_dash.correlation.verdict import Evidence
from athena_dash.correlation.visit_facts import EpisodeFacts, VisitFacts
from athena_dash.practices.policies import Policies

WINDOW = timedelta(days=90)
CHUNK = 1_000
PATIENCE = (
    8.0  # seconds an admin waits; what is not judged by then is left out, and the preview says how much
)
SAMPLES = 10
NO_EVIDENCE = Evidence()  # verdicts rest on sync, not on policies, and do not change a row's being there


class Sample(msgspec.Struct, frozen=True):
    """One row of the worklist that comes or goes: its first gap."""

    visit_id: int
    service_date: date | None
    code: str
    sentence: str
    dollars: Decimal | None


class Side(msgspec.Struct, frozen=True):
    """The rows that come, or those that go. `samples`: the dearest few."""

    rows: int
    dollars: Decimal
    samples: tuple[Sample, ...]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`altered`: rows that stay, with another first gap, owner or date. The newest `visits` of `of` were judged."""

    since: date
    visits: int
    of: int
    added: Side
    removed: Side
    altered: int


@transaction.atomic
def preview(practice_id: int, stored: Policies, wanted: Policies) -> Preview:
    now = clock.now()
    since = (now - WINDOW).date()
    window = Visit.objects.for_practice(practice_id).filter(
        service_date__gte=since, service_date__lte=now.date()
    )
    visit_ids = list(window.order_by("-service_date", "-pk").values_list("pk", flat=True))
    was, would = Bench(practice_id, stored), Bench(practice_id, wanted)
    added, removed, altered, judged = [], [], 0, 0
    for before, after in pairs(visit_ids, was, would):
        judged += 1
        old, new = was.first_gap(before), would.first_gap(after)
        if new and not old:
            added.append(sample(after, new))
        elif old and not new:
            removed.append(sample(before, old))
        else:
            altered += face(old) != face(new)
    return Preview(
        since=since,
        visits=judged,
        of=len(visit_ids),
        added=side(added),
        removed=side(removed),
        altered=altered,
    )


class Bench:
    """One set of policies, and what it makes of visits."""

    def __init__(self, practice_id: int, policies: Policies) -> None:
        self.practice_id, self.policies, self.now = practice_id, policies, clock.now()
        self.learned: Learned = learned_of(practice_id, policies)

    def load(self, visit_ids: list[int]) -> list[VisitFacts]:
        return dossier.load(self.practice_id, visit_ids, self.policies, self.learned)

    def covered(self, visits: list[VisitFacts]) -> list[VisitFacts]:
        """The same, by the claims that would pay for many visits."""
        packages = self.policies.packages
        rows = covered_by(self.practice_id, packages, [visit.id for visit in visits])
        episodes = {visit_id: EpisodeFacts(*said) for visit_id, *said in rows}
        return [structs.replace(visit, episode=episodes.get(visit.id)) for visit in visits]

    def first_gap(self, visit: VisitFacts) -> FoundGap | None:
        judged = judge_visit(visit, self.policies, NO_EVIDENCE, self.learned, self.now)
        return next((gap for gap in judged.gaps if gap.primary), None)


def pairs(visit_ids: list[int], was: Bench, would: Bench) -> Iterator[tuple[VisitFacts, VisitFacts]]:
    """Each visit as either set of policies sees it; only the meaning of status words, and the claims that pay for many
    visits, are part of the facts."""
    began = monotonic()
    same = was.policies.claim_statuses == would.policies.claim_statuses
    covered = was.policies.packages == would.policies.packages
    for start in range(0, len(visit_ids), CHUNK):
        if monotonic() - began > PATIENCE:
            return
        chunk = visit_ids[start : start + CHUNK]
        before = was.load(chunk)
        after = before if same else would.load(chunk)
        yield from zip(before, after if covered else would.covered(after), strict=True)


def face(gap: FoundGap | None) -> tuple[object, ...] | None:
    """What a row of the worklist shows of its gap."""
    return (gap.code, gap.owner, gap.due_at, gap.filing_limit, gap.estimate.dollars) if gap else None


def sample(visit: VisitFacts, gap: FoundGap) -> Sample:
    return Sample(visit.id, visit.service_date, gap.code, gap.sentence, gap.estimate.dollars)


def side(rows: list[Sample]) -> Side:
    dearest = nlargest(SAMPLES, rows, key=lambda row: (row.dollars or 0, row.visit_id))
    return Side(len(rows), sum((row.dollars or Decimal(0) for row in rows), Decimal(0)), tuple(dearest))
