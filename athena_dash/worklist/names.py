"""What providers and departments are called, for all of some practices in one query; these are not PHI."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Value

from athena_dash.records.models import Department, Provider


@dataclass(frozen=True)
class Names:
    known: Mapping[tuple[str, int, str], str]

    def of(self, kind: str, practice_id: int, external_id: str) -> str:
        """The name, else the id said as one; empty for no id."""
        return self.known.get((kind, practice_id, external_id)) or (
            f"{kind} {external_id}" if external_id else ""
        )


def names_of(practice_ids: Collection[int]) -> Names:
    providers = Provider.objects.filter(practice_id__in=practice_ids).values_list(
        Value("provider", output_field=CharField()), "practice_id", "external_id", "display_name"
    )
    departments = Department.objects.filter(practice_id__in=practice_ids).values_list(
        Value("department", output_field=CharField()), "practice_id", "external_id", "name"
    )
    return Names({(kind, pk, key): name for kind, pk, key, name in providers.union(departments, all=True)})
