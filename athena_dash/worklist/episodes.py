"""A visit and claims that are not its own → what they pay for, in words; and the visits its own claims pay for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from athena_dash.correlation.models import Coverage, Link
from athena_dash.practices.packages import KINDS
from athena_dash.worklist.visit_records import VisitRecords

MOST = 20  # visits of one claim named on its own visit's page

NEAR = {
    "same": "it was with the provider of the claim",
    "specialty": "it was with a provider of the same specialty",
    "other": "it was with a provider of another specialty",
}


@dataclass(frozen=True)
class Part:
    """A claim that pays for the visit, or may. `home`: the visit whose claim it is, if it has one of ours."""

    coverage: Coverage
    home: int | None

    @property
    def package(self) -> str:
        return KINDS[self.coverage.kind].label

    @property
    def reasons(self) -> tuple[str, ...]:
        told = self.coverage.evidence
        said = []
        if marks := told.get("marks"):
            said.append(f"it documents {', '.join(marks)}, which says so by itself")
        if ours := told.get("diagnoses"):
            said.append(f"its diagnoses speak of it ({', '.join(ours)})")
        if others := told.get("others"):
            said.append(f"{', '.join(others)} {'speak' if len(others) > 1 else 'speaks'} of something else")
        if not ours and not others:
            said.append("no diagnosis is documented")
        return (*said, NEAR[told.get("provider", "other")])


@dataclass(frozen=True)
class Reach:
    """What one claim of the visit pays for beside it. `visits`: the newest few of `count`."""

    claim_id: str
    package: str
    count: int
    visits: Sequence[Coverage]


def parts_of(records: VisitRecords) -> list[Part]:
    """What holds first, then what waits for a person, then what was declined or is over."""
    visit = records.visit
    found = list(visit.coverages.select_related("said_by").order_by("ends_on", "claim_id"))
    if not found:
        return []
    links = Link.objects.for_practice(visit.practice_id).filter(
        kind=Link.Kind.CLAIM, record_id__in=[one.claim_id for one in found], state=Link.State.LINKED
    )
    homes = dict(links.values_list("record_id", "visit_id"))
    order = list(Coverage.State)
    parts = [Part(one, homes.get(one.claim_id)) for one in found]
    return sorted(parts, key=lambda part: order.index(Coverage.State(part.coverage.state)))


def reach_of(records: VisitRecords) -> list[Reach]:
    claim_ids = [claim.external_id for claim in records.claims]
    if not claim_ids:
        return []
    rows = Coverage.objects.for_practice(records.visit.practice_id).filter(
        claim_id__in=claim_ids, state=Coverage.State.COVERED
    )
    by_claim: dict[str, list[Coverage]] = {}
    for row in rows.select_related("visit").order_by("-visit__service_date", "visit_id"):
        by_claim.setdefault(row.claim_id, []).append(row)
    return [
        Reach(claim_id, KINDS[found[0].kind].label, len(found), found[:MOST])
        for claim_id, found in sorted(by_claim.items())
    ]


def visits_paid(practice_ids: Collection[int], claim_ids: Collection[str]) -> Mapping[tuple[int, str], int]:
    """(practice, claim) → how many visits it pays for beside its own."""
    if not claim_ids:
        return {}
    rows: Any = Coverage.objects.filter(
        practice_id__in=practice_ids, claim_id__in=claim_ids, state=Coverage.State.COVERED
    )
    counted = rows.values_list("practice_id", "claim_id").annotate(Count("pk")).order_by()
    return {(practice_id, claim_id): count for practice_id, claim_id, count in counted}
