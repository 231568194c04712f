"""What a payload does not say itself: whom it was asked for, and the zone of each department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from integrations.athena.values import EASTERN, instant


class Unmapped(Exception):
    """A code that steers what happens next and that we do not know. The code itself is not PHI."""

    def __init__(self, field: str, kind: str, code: str) -> None:
        super().__init__(f"{kind} {code[:40]!r} is not one we know; once it is mapped, reprocess.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Context:
    """`parent` is the subject asked about: "patientid", "patientid/departmentid", "encounterid" or "claimid"."""

    practice: str = ""  # athena's practiceid, part of every FHIR logical id
    parent: str = ""
    zones: Mapping[str, ZoneInfo] = field(default_factory=lambda: MappingProxyType({}))
    fallback: ZoneInfo = EASTERN

    @property
    def subject(self) -> str:
        return self.parent.partition("/")[0]

    @property
    def scope(self) -> str:
        return self.parent.partition("/")[2]

    def zone(self, department_id: str) -> ZoneInfo:
        return self.zones.get(department_id, self.fallback)

    def local(self, wall: datetime | None, department_id: str) -> datetime | None:
        """A wall-clock stamp of the department as UTC."""
        return instant(wall, self.zone(department_id)) if wall else None


def eastern(wall: datetime | None) -> datetime | None:
    """scheduleddatetime and cancelleddatetime are Eastern wherever the practice is (revenue-cycle.md §1.3)."""
    return instant(wall, EASTERN) if wall else None
