"""What our tables hold of the record a failure names; data about people masked until revealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from athena_dash.core.templatetags.ui import day, instant
from athena_dash.operations.payload import MASK
from athena_dash.records import models as records
from athena_dash.records.models.base import Record
from athena_dash.sync.models import Failure

MODELS: dict[str, type[Record]] = {
    model.__name__.lower(): model
    for model in (
        records.Appointment,
        records.ChargeLine,
        records.Claim,
        records.ClaimNote,
        records.ClinicalFact,
        records.Department,
        records.Encounter,
        records.Insurance,
        records.Patient,
        records.Provider,
        records.ServiceLine,
    )
}
PERSONAL = frozenset(
    {
        "diagnosis_codes",
        "code",
        "first_name",
        "last_name",
        "dob",
        "sex",
        "text",
        "value",
        "display",
        "description",
    }
)
OURS = frozenset({"id", "practice", "raw_id"})


def _readable(value: Any) -> Any:
    """Instants say their zone, lists have no brackets."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return day(value) if isinstance(value, date) else value


def facts(failure: Failure, *, revealed: bool) -> list[tuple[str, Any]]:
    """Empty when nothing of that record is stored."""
    model = MODELS.get(failure.record_kind)
    if model is None or not failure.record_id:
        return []
    row = model.objects.for_practice(failure.practice_id).filter(external_id=failure.record_id).first()
    if row is None:
        return []
    return [
        (field.name.replace("_", " "), MASK if field.name in PERSONAL and not revealed else _readable(value))
        for field in model._meta.concrete_fields
        if field.name not in OURS and (value := getattr(row, field.attname)) not in (None, "", [])
    ]
