"""A payload → when athena last changed the record, as far as athena says. Pure.

v1 dates appointments, and claims where it does at all, to the second and without a zone; its own filter on the stamp
takes Eastern, and so does this (athena-api.md §2.0). Patients, insurances and encounters it dates to the day. FHIR
says the instant. What lists, charge lines, services and notes are from is not said.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from athena_dash.sync.resources import RESOURCES
from integrations.athena.values import EASTERN, instant, us_datetime
from integrations.fhir.times import read_instant


class Dated(StrEnum):
    """How athena dates the changes of a feed."""

    INSTANT = ""
    DAY = "dated by athena to the day only"
    NOT = "not dated by athena"


HOW = {
    **dict.fromkeys(("appointments", "claims"), Dated.INSTANT),
    **dict.fromkeys(("patients", "insurances", "encounters"), Dated.DAY),
    **{name: Dated.INSTANT for name, resource in RESOURCES.items() if resource.fhir},
}
DAY_LENGTH = len("MM/DD/YYYY")


class Stamps(msgspec.Struct, frozen=True, gc=False):
    lastmodified: Any = None
    meta: Any = None


read_stamps = msgspec.json.Decoder(Stamps).decode


def how(resource: str) -> Dated:
    return HOW.get(resource, Dated.NOT)


def changed_at(resource: str, body: bytes) -> datetime | None:
    """None where the payload does not say the instant: a day is none."""
    try:
        stamps = read_stamps(body)
        if RESOURCES[resource].fhir:
            meta = stamps.meta if isinstance(stamps.meta, dict) else {}
            return read_instant(text(meta.get("lastUpdated")))
        stamp = text(stamps.lastmodified)
        wall = us_datetime(stamp) if len(stamp) > DAY_LENGTH else None
    except (msgspec.MsgspecError, ValueError):  # the record's own trouble, which is told elsewhere
        return None
    return instant(wall, EASTERN) if wall else None


def text(value: object) -> str:
    return value if isinstance(value, str) else ""
