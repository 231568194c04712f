"""The same athena through the eyes of a practice that joins today and is left alone: its rows, links and gaps are what
the tortured one's must be."""

from __future__ import annotations

from typing import Any

from athena_dash.correlation.models import Gap, Link, Visit
from athena_dash.practices.models import Practice
from athena_dash.records import models as records
from athena_dash.sync import pipeline

Keyed = dict[str, dict[str, Any]]
"""Natural key → columns, or what gaps say by code, and their values."""

OURS = {
    *("id", "practice_id", "external_id", "raw_id", "fetched_at", "gone_at"),
    *("first_seen", "primary_since", "secondary_since", "patient_since"),
}
# They ask since when a claim stands in its statuses (rules.claim_slots), which athena does not date
DATED_BY_US = {"G24", "G26", "G27", "G29", "G33", "G34", "G35", "G36", "G39", "G44", "G45"}
HISTORY = "ClaimStatusChange"  # who looks later has seen less


def contents(practice: Practice) -> dict[str, Keyed]:
    """Every record, link and open gap by its natural key, without our own row ids and instants."""
    found: dict[str, Keyed] = {}
    for name in records.__all__:
        if name != HISTORY:
            table: Any = getattr(records, name)
            columns = [f.attname for f in table._meta.concrete_fields if f.attname not in OURS]
            rows = table.objects.filter(practice=practice, gone_at__isnull=True)
            found[name] = {row.pop("external_id"): row for row in rows.values("external_id", *columns)}
    links = Link.objects.filter(practice=practice).values(
        "kind", "record_id", "state", "method", "visit__anchor", "visit__anchor_id"
    )
    found["Link"] = {f"{link.pop('kind')} {link.pop('record_id')}": link for link in links}
    gaps: Keyed = {f"{anchor} {id}": {} for anchor, id in visits(practice).values_list("anchor", "anchor_id")}
    opened = Gap.objects.filter(practice=practice, closed_at__isnull=True, visit__isnull=False)
    for anchor, id, code, verdict, at_risk in opened.exclude(code__in=DATED_BY_US).values_list(
        "visit__anchor", "visit__anchor_id", "code", "verdict", "at_risk"
    ):
        gaps[f"{anchor} {id}"] |= {f"{code} verdict": verdict, f"{code} dollars": at_risk}
    found["Visit's gaps"] = gaps
    return found


def visits(practice: Practice) -> Any:
    return Visit.objects.for_practice(practice)


def judge_all(practice: Practice) -> None:
    """Dollars lean on what was learnt by then: let both learn and look once more."""
    pipeline.learn_prices(practice.pk)
    pipeline.rejudge(practice.pk, list(visits(practice).values_list("pk", flat=True)))


def unequal(mine: dict[str, Keyed], newcomers: dict[str, Keyed]) -> dict[str, list[str]]:
    """By table "key column, column" of what the newcomer has and the tortured practice lacks or
    holds otherwise; never a value. Who was there before has seen more (a patient without a visit, an appointment beyond
    the windows), and that is no difference."""
    found = {}
    for table, rows in newcomers.items():
        differ = [
            f"{key} {', '.join(differing(mine[table][key], row))}"
            if key in mine[table]
            else f"{key} is missing"
            for key, row in rows.items()
            if mine[table].get(key) != row
        ]
        if differ:
            found[table] = sorted(differ)
    return found


def differing(mine: dict[str, Any], newcomers: dict[str, Any]) -> list[str]:
    return [name for name in sorted(mine.keys() | newcomers.keys()) if mine.get(name) != newcomers.get(name)]
