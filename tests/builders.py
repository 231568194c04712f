"""Rows with believable defaults: a test names only what it is about. Ids count up; nothing is random."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Link, Verdict, Visit
from athena_dash.practices.models import Membership, Practice
from athena_dash.records import models as records
from athena_dash.sync.models import Feed

_ids = count(1001)
DAY = dt.timedelta(days=1)


def a_practice(slug: str = "riverside", **fields: Any) -> Practice:
    """A practice whose feeds all came through a minute ago."""
    fields = {"name": slug.title(), "athena_id": str(next(_ids))} | fields
    practice = Practice.objects.create(slug=slug, **fields)
    for resource in ("appointments", "encounters", "claims", "transactions"):
        a_feed(practice, resource)
    return practice


def a_feed(
    practice: Practice, resource: str, *, quiet_for: dt.timedelta | None = None, **fields: Any
) -> Feed:
    """`quiet_for`: how long ago it last came through; a minute by default."""
    now = clock.now()
    fields = {
        "due_at": now,
        "interval": dt.timedelta(minutes=1),
        "fresh_within": dt.timedelta(minutes=10),
        "last_success_at": now - (quiet_for or dt.timedelta(minutes=1)),
    } | fields
    feed: Feed = Feed.objects.update_or_create(practice=practice, resource=resource, defaults=fields)[0]
    return feed


def a_user(*practices: Practice, role: str = "billing", username: str = "") -> User:
    user = User.objects.create_user(username or f"{role}-{next(_ids)}", password="correct horse")
    for practice in practices:
        Membership.objects.create(user=user, practice=practice, role=role)
    return user


def a_patient(practice: Practice, **fields: Any) -> records.Patient:
    fields = {"first_name": "Mara", "last_name": "Quill", "dob": dt.date(1971, 4, 9)} | fields
    return _record(records.Patient, practice, fields)


def a_visit(practice: Practice, *, patient: records.Patient | None = None, **fields: Any) -> Visit:
    """A visit five days ago that is signed and not charged, with its appointment and its signed encounter."""
    patient = patient or a_patient(practice)
    fields = {
        "anchor": Visit.Anchor.APPOINTMENT,
        "anchor_id": str(next(_ids)),
        "patient_id": patient.external_id,
        "service_date": clock.now().date() - 5 * DAY,
        "department_id": "1",
        "provider_id": "71",
        "visit_type": "Office visit",
        "payer_name": "Meadow Health Plan",
        "track": "DDDDM---",
    } | fields
    visit = Visit.objects.create(practice=practice, **fields)
    _directory(practice, visit)
    started = (
        dt.datetime.combine(visit.service_date, dt.time(14), tzinfo=dt.UTC) if visit.service_date else None
    )
    common = {
        "patient_id": visit.patient_id,
        "department_id": visit.department_id,
        "provider_id": visit.provider_id,
    }
    _record(
        records.Appointment,
        practice,
        {
            **common,
            "external_id": visit.anchor_id,
            "date": visit.service_date,
            "start": dt.time(10),
            "starts_at": started,
            "checked_in_at": started,
            "checked_out_at": started and started + dt.timedelta(minutes=40),
            "scheduled_at": started and started - 9 * DAY,
            "status": "3",
            "type_name": visit.visit_type,
        },
    )
    encounter = _record(
        records.Encounter,
        practice,
        {
            **common,
            "appointment_id": visit.anchor_id,
            "date": visit.service_date,
            "kind": "VISIT",
            "status": "CLOSED",
            "closed_on": visit.service_date,
        },
    )
    a_link(visit, "encounter", encounter.external_id, method=Link.Method.ID)
    return visit


def a_claim(visit: Visit, **fields: Any) -> records.Claim:
    """A claim linked to the visit, billed to its primary payer, with one line of $180."""
    fields = {
        "appointment_id": visit.anchor_id,
        "patient_id": visit.patient_id,
        "department_id": visit.department_id,
        "billed_provider_id": visit.provider_id,
        "service_date": visit.service_date,
        "created_date": visit.service_date,
        "charge_amount": Decimal("180.00"),
        "primary_status": "BILLED",
        "secondary_status": "CLOSED",
        "patient_status": "CLOSED",
        "first_seen": clock.now() - 2 * DAY,
    } | fields
    claim = _record(records.Claim, visit.practice, fields)
    a_link(visit, "claim", claim.external_id, method=Link.Method.ID)
    _record(
        records.ChargeLine,
        visit.practice,
        {
            "claim_id": claim.external_id,
            "procedure_code": "99213",
            "description": "Office visit, established, low",
            "amount": claim.charge_amount,
            "units": 1,
            "payments": Decimal(0),
            "adjustments": Decimal(0),
            "outstanding": claim.charge_amount,
        },
    )
    return claim


def a_link(visit: Visit | None, kind: str, record_id: str, **fields: Any) -> Link:
    """Linked to the visit; without one give `practice` and `state`."""
    fields = {"state": Link.State.LINKED, "score": 1.0} | fields
    if visit:
        fields["practice"] = visit.practice
    link: Link = Link.objects.create(visit=visit, kind=kind, record_id=record_id, **fields)
    return link


def a_gap(visit: Visit, code: str = "G13", **fields: Any) -> Gap:
    """The visit's primary open gap: a missing slip, $140 at risk, limit in 85 days, needing the claims feed."""
    now = clock.now()
    fields = {
        "primary": True,
        "owner": "provider",
        "sentence": "Signed 5 days ago, no charge entered",
        "at_risk": Decimal("140.00"),
        "estimator": "E4",
        "verdict": Verdict.NOT_BILLED,
        "evidence": [{"signal": "D8", "says": "Other visits of this provider that day have claims"}],
        "needs_feed": "claims",
        "since": now - 5 * DAY,
        "due_at": now + DAY,
        "filing_limit": now.date() + 85 * DAY,
        "opened_at": now - 4 * DAY,
    } | fields
    gap: Gap = Gap.objects.create(practice=visit.practice, visit=visit, code=code, **fields)
    return gap


def _directory(practice: Practice, visit: Visit) -> None:
    seen = {"fetched_at": clock.now()}
    records.Department.objects.get_or_create(
        practice=practice, external_id=visit.department_id, defaults={"name": "Main Street", **seen}
    )
    records.Provider.objects.get_or_create(
        practice=practice,
        external_id=visit.provider_id,
        defaults={"display_name": "A. Lindqvist, MD", **seen},
    )


def _record(model: Any, practice: Practice, fields: dict[str, Any]) -> Any:
    defaults = {"external_id": str(next(_ids)), "fetched_at": clock.now()}
    return model.objects.create(practice=practice, **(defaults | fields))
