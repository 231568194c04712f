"""G17: a result that names no encounter → a gap of its own, closed when it is tied to a visit.

Held back for its grace first, because results arrive before their encounter and then heal by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from athena_dash.core import clock
from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.models import Gap, Link, Verdict
from athena_dash.practices.models import Practice
from athena_dash.practices.policies import Policies, policies_of
from athena_dash.records.models import ClinicalFact

CODE, KIND = "G17", "clinical"
RESULTS = ("Observation", "DiagnosticReport", "DocumentReference")
"""A condition or a prescription without an encounter is ordinary; a result nobody saw is not."""


def judge_orphans(practice_id: int, record_ids: Collection[str]) -> int:
    """Open, reopen or close the gap of each of these results. Returns how many gap rows changed."""
    if not record_ids:
        return 0
    now, policies = clock.now(), policies_of(practice_id)
    zone = ZoneInfo(Practice.objects.get(pk=practice_id).timezone)
    wanted = {
        fact.external_id: gap_of(fact, fact.at, opened, zone, policies)
        for fact in orphans(practice_id, record_ids)
        if fact.at and (opened := opens_at(fact.at, zone, policies)) <= now
    }
    existing = {
        gap.record_id: gap
        for gap in Gap.objects.for_practice(practice_id).filter(
            visit__isnull=True, record_kind=KIND, record_id__in=record_ids, code=CODE
        )
    }
    fresh = [gap for id, gap in wanted.items() if id not in existing]
    altered = []
    for record_id, gap in existing.items():
        if record_id in wanted and gap.closed_at is not None:
            gap.opened_at, gap.closed_at, gap.closed_by, gap.primary = now, None, "", True
            gap.times_opened += 1
            altered.append(gap)
        elif record_id not in wanted and gap.closed_at is None:
            gap.closed_at, gap.closed_by, gap.primary = now, "data", False
            altered.append(gap)
    Gap.objects.bulk_create(fresh)
    Gap.objects.bulk_update(
        altered, fields=("opened_at", "closed_at", "closed_by", "primary", "times_opened")
    )
    return len(fresh) + len(altered)


def due_orphans(now: datetime, limit: int) -> dict[int, list[str]]:
    """Unmatched results without a gap row that are old enough to have one: practice → ids."""
    youngest = now - timedelta(hours=Policies().grace_hours(CODE))
    fact = ClinicalFact.objects.filter(
        practice_id=OuterRef("practice_id"),
        external_id=OuterRef("record_id"),
        resource__in=RESULTS,
        at__lte=youngest,
        gone_at__isnull=True,
    )
    told = Gap.objects.filter(
        practice_id=OuterRef("practice_id"),
        visit__isnull=True,
        record_kind=KIND,
        record_id=OuterRef("record_id"),
    )
    rows = Link.objects.filter(
        Exists(fact),
        ~Exists(told),
        kind=KIND,
        state=Link.State.UNMATCHED,
        practice__paused_at__isnull=True,
    )
    found: dict[int, list[str]] = defaultdict(list)
    for practice_id, record_id in rows.order_by("pk").values_list("practice_id", "record_id")[:limit]:
        found[practice_id].append(record_id)
    return dict(found)


def orphans(practice_id: int, record_ids: Collection[str]) -> list[ClinicalFact]:
    unmatched = Link.objects.for_practice(practice_id).filter(
        kind=KIND, record_id__in=record_ids, state=Link.State.UNMATCHED, decided_by__isnull=True
    )
    return list(
        ClinicalFact.objects.for_practice(practice_id).filter(
            external_id__in=unmatched.values("record_id"),
            resource__in=RESULTS,
            at__isnull=False,
            gone_at__isnull=True,
        )
    )


def opens_at(since: datetime, zone: ZoneInfo, policies: Policies) -> datetime:
    return add_business_hours(since, policies.grace_hours(CODE), zone, policies.closed_days)


def gap_of(fact: ClinicalFact, since: datetime, opened: datetime, zone: ZoneInfo, policies: Policies) -> Gap:
    day = since.astimezone(zone)
    return Gap(
        practice_id=fact.practice_id,
        record_kind=KIND,
        record_id=fact.external_id,
        code=CODE,
        primary=True,
        owner=policies.owner(CODE),
        sentence=f"{NOUNS[fact.resource]} of {day:%b} {day.day}, {day.year} belongs to no encounter",
        estimator="E6",
        verdict=Verdict.UNVERIFIED,
        evidence=[{"signal": "", "says": "it names no encounter; none is guessed"}],
        needs_feed="encounters",
        since=since,
        due_at=add_business_hours(opened, policies.sla_hours(CODE), zone, policies.closed_days),
        opened_at=clock.now(),
    )


NOUNS = {"Observation": "Result", "DiagnosticReport": "Report", "DocumentReference": "Document"}
