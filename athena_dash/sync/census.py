"""A kind and a window of days → a Census: which ids athena names there, which of them we held; what we lacked comes in.

Only payloads of records we lack are stored, so that an audit, which reads slowly, never writes an older copy over a
newer one. They go through the raw store and the pipeline like any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import MD5, Concat

from athena_dash.records.models import Appointment, ChargeLine, Claim, Encounter
from athena_dash.sync import pipeline, raw, walks
from athena_dash.sync.models import Audit, RawRecord, Reason
from athena_dash.sync.pages import is_nameless, payloads
from athena_dash.sync.payloads import Payload, parsed
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.source import Source
from integrations.athena.errors import Gone, InvalidResponse, RequestRejected
from integrations.athena.page import Page

MOST_ASKED = 50  # calls by id or chart in one census; what is left is asked for the next time
SAMPLED_CLAIMS = 10  # one call each
UNREADABLE = (InvalidResponse, RequestRejected)  # of one record; what concerns every call ends the census
UNBELIEVABLE = 10_000_000  # athena's own count is evidence, not contract


@dataclass(frozen=True, slots=True)
class Lacking:
    """An encounter that an appointment names, was not here, and why its chart may not have brought it."""

    appointment_id: str
    reason: Reason = Reason.INVALID
    why: str = "its chart waits for the next check, because so many are missing"


@dataclass(slots=True)
class Census:
    """`counted` is athena's totalcount. `held` are those of `theirs` that we had when athena named them."""

    theirs: set[str] = field(default_factory=set)
    nameless: set[str] = field(default_factory=set)
    counted: int = 0
    held: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    drift: Counter[str] = field(default_factory=Counter)  # {"departmentid yyyy-mm-dd": not held}
    lacking: dict[str, Lacking] = field(default_factory=dict)  # encounters, by id
    visits: set[int] = field(default_factory=set)


NAMED_ONLY = Q(primary_status="", secondary_status="", patient_status="", service_date=None)
"""A claim of which we know no more than that an appointment names it."""

HELD: Mapping[str, Callable[[int], Any]] = MappingProxyType(
    {
        Audit.Kind.APPOINTMENTS: lambda practice: Appointment.objects.for_practice(practice),
        Audit.Kind.CLAIMS: lambda practice: Claim.objects.for_practice(practice).exclude(NAMED_ONLY),
        # FHIR knows an encounter too; its kind and state only the chart tells
        Audit.Kind.ENCOUNTERS: lambda practice: Encounter.objects.for_practice(practice).exclude(kind=""),
        Audit.Kind.CHARGES: lambda practice: ChargeLine.objects.for_practice(practice),
    }
)
DAY_OF = {Audit.Kind.APPOINTMENTS: "date", Audit.Kind.CLAIMS: "created_date"}
DAY_FIELD = {Audit.Kind.APPOINTMENTS: "date", Audit.Kind.CLAIMS: "claimcreateddate"}


def take(source: Source, practice_id: int, kind: str, first: date, last: date) -> Census:
    """Both days included. AthenaError when athena cannot be asked."""
    return CENSUSES[Audit.Kind(kind)](source, practice_id, first, last)


def held(practice_id: int, kind: str, ids: Iterable[str]) -> set[str]:
    rows = HELD[Audit.Kind(kind)](practice_id).filter(external_id__in=list(ids), gone_at__isnull=True)
    return set(rows.values_list("external_id", flat=True))


def of_listing(kind: Audit.Kind, source: Source, practice_id: int, first: date, last: date) -> Census:
    """Every page of athena's list, and then by id whatever of ours the list left out."""
    census, resource = Census(), RESOURCES[kind]
    for step in walks.window(source, resource, first, last, {}):
        for page, _ in step.pages:
            found = payloads(resource, page, "")
            lacking = compare(census, practice_id, kind, found)
            census.drift.update(department_day(kind, payload) for payload in lacking)
            census.counted = page.total if page.total and page.total < UNBELIEVABLE else 0
            bring_in(census, practice_id, kind, lacking, page)
    ask_about_unlisted(census, source, practice_id, kind, first, last)
    return census


def compare(census: Census, practice_id: int, kind: str, found: Sequence[Payload]) -> list[Payload]:
    """Count what this page names for the first time; return what of it we lack."""
    census.nameless |= {payload.external_id for payload in found if is_nameless(payload)}
    new = {p.external_id: p for p in found if not is_nameless(p) and p.external_id not in census.theirs}
    here = held(practice_id, kind, new)
    census.theirs |= new.keys()
    census.held |= here
    return [payload for external_id, payload in new.items() if external_id not in here]


def department_day(kind: Audit.Kind, payload: Payload) -> str:
    document = parsed(payload.body)
    said = [str(document.get(name, "?")) for name in ("departmentid", DAY_FIELD[kind])]
    return " ".join(said) if all(text.isprintable() and len(text) <= 20 for text in said) else "? ?"


def bring_in(census: Census, practice_id: int, resource: str, lacking: Sequence[Payload], page: Page) -> None:
    """Also payloads stored before: the row may have been lost although its content is no news."""
    if not lacking:
        return
    with transaction.atomic():
        kept = raw.keep(
            lacking,
            practice_id=practice_id,
            resource=resource,
            fetched_at=page.fetched_at,
            request_id=page.request_id or "",
        )
    stored = RawRecord.objects.for_practice(practice_id).filter(
        resource=resource,
        external_id__in=[payload.external_id for payload in lacking],
        parent_id=lacking[0].parent_id,
    )
    newest = stored.order_by("external_id", "-pk").distinct("external_id").values_list("pk", flat=True)
    census.visits |= pipeline.process(practice_id, sorted({*kept, *newest})).visits


def ask_about_unlisted(
    census: Census, source: Source, practice_id: int, kind: Audit.Kind, first: date, last: date
) -> None:
    """Ours in this window, but not in athena's list: either athena has it no more, or the list was short."""
    ours = HELD[kind](practice_id).filter(**{f"{DAY_OF[kind]}__range": (first, last)}, gone_at__isnull=True)
    unlisted = set(ours.values_list("external_id", flat=True)) - census.theirs
    for record_id in sorted(unlisted)[:MOST_ASKED]:
        try:
            list(source.about(kind, record_id, ""))
        except Gone:
            pipeline.forget(practice_id, RESOURCES[kind], record_id)
            census.gone.add(record_id)
        except UNREADABLE:
            continue  # then nobody knows, and it counts on neither side
        else:
            census.theirs.add(record_id)
            census.held.add(record_id)


def of_charts(source: Source, practice_id: int, first: date, last: date) -> Census:
    """Encounters cannot be listed: every one that an appointment names should be here, and is in its chart."""
    census = Census()
    naming = Appointment.objects.for_practice(practice_id).filter(
        date__range=(first, last), gone_at__isnull=True
    )
    named = naming.exclude(encounter_id="").values_list(
        "encounter_id", "external_id", "patient_id", "department_id", "date"
    )
    charts: dict[tuple[str, str], set[str]] = defaultdict(set)
    rows = list(named)
    census.theirs = {encounter_id for encounter_id, *_ in rows}
    census.held = held(practice_id, Audit.Kind.ENCOUNTERS, census.theirs)
    for encounter_id, appointment_id, patient_id, department_id, day in rows:
        if encounter_id not in census.held:
            census.lacking[encounter_id] = Lacking(appointment_id)
            census.drift[f"{department_id} {day}"] += 1
            charts[patient_id, department_id].add(encounter_id)
    for (patient_id, department_id), encounter_ids in sorted(charts.items())[:MOST_ASKED]:
        reason, why = read_chart(census, source, practice_id, patient_id, department_id)
        for encounter_id in encounter_ids:
            census.lacking[encounter_id] = replace(census.lacking[encounter_id], reason=reason, why=why)
    return census


def read_chart(
    census: Census, source: Source, practice_id: int, patient_id: str, department_id: str
) -> tuple[Reason, str]:
    """Bring in what the chart has of what we lack; returns why the rest is missing."""
    resource = RESOURCES[Audit.Kind.ENCOUNTERS]
    try:
        pages = list(source.about(resource.name, patient_id, department_id))
    except Gone:
        return Reason.GONE, "athena has no chart of its patient"
    except UNREADABLE:
        return Reason.INVALID, "athena's answer about its patient's chart cannot be read"
    for page in pages:
        found = payloads(resource, page, f"{patient_id}/{department_id}")
        lacking = [payload for payload in found if payload.external_id in census.lacking]
        bring_in(census, practice_id, resource.name, lacking, page)
    return Reason.GONE, "its patient's chart does not list it"


def of_claims_lines(source: Source, practice_id: int, first: date, last: date) -> Census:
    """Charge lines cost a call for each claim, so of a sample, another one each day."""
    census, resource = Census(), RESOURCES[Audit.Kind.CHARGES]
    claims = HELD[Audit.Kind.CLAIMS](practice_id).filter(
        created_date__range=(first, last), gone_at__isnull=True
    )
    shuffled = claims.order_by(MD5(Concat("external_id", Value(last.isoformat()))))
    for claim_id in shuffled.values_list("external_id", flat=True)[:SAMPLED_CLAIMS]:
        try:
            pages = list(source.about(resource.name, claim_id, ""))
        except (Gone, *UNREADABLE):
            continue  # of a sample: the claims' own census, and the feed's failure, speak of this one
        for page in pages:
            charges = [payload for payload in payloads(resource, page, claim_id) if is_charge(payload)]
            lacking = compare(census, practice_id, Audit.Kind.CHARGES, charges)
            bring_in(census, practice_id, resource.name, lacking, page)
    return census


def is_charge(payload: Payload) -> bool:
    """Payments and transfers are rows of the same list (sync.normalise.billing)."""
    document = parsed(payload.body)
    return isinstance(document, dict) and (document.get("transactiontype") or "CHARGE") == "CHARGE"


CENSUSES: Mapping[Audit.Kind, Callable[[Source, int, date, date], Census]] = MappingProxyType(
    {
        Audit.Kind.APPOINTMENTS: partial(of_listing, Audit.Kind.APPOINTMENTS),
        Audit.Kind.CLAIMS: partial(of_listing, Audit.Kind.CLAIMS),
        Audit.Kind.ENCOUNTERS: of_charts,
        Audit.Kind.CHARGES: of_claims_lines,
    }
)
