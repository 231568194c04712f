"""Patients merged into others → the surviving id of any of them, however long the chain; and who was, until athena took
it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from athena_dash.records.models import Patient


class MergeMap:
    """`merged` maps a losing id to the id it was merged into; `unmerged` one that is its own again to the id it had
    been merged into. A cycle, which only bad data makes, survives as its smallest id."""

    def __init__(self, merged: Mapping[str, str], unmerged: Mapping[str, str]) -> None:
        self.unmerged = unmerged
        self.final = {loser: survivor_of(loser, merged) for loser in merged}
        self.losers = list(self.final)
        self.survivors = list(self.final.values())

    def survivor(self, patient_id: str) -> str:
        return self.final.get(patient_id, patient_id)

    @cached_property
    def members(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for loser, survivor in self.final.items():
            found.setdefault(survivor, {survivor}).add(loser)
        return found

    def relatives(self, patient_ids: Iterable[str]) -> list[str]:
        """Every id of the merged ones among these patients and of the unmerged ones, whose records may still stand with
        each other; nothing for the others, whose place no merge changes."""
        concerned = {id for id in patient_ids if self.survivor(id) in self.members or id in self.unmerged}
        return self.clusters(concerned.union(self.unmerged[id] for id in concerned if id in self.unmerged))

    def clusters(self, patient_ids: Iterable[str]) -> list[str]:
        survivors = {self.survivor(id) for id in patient_ids}
        return sorted(id for survivor in survivors for id in self.members.get(survivor, {survivor}))


def survivor_of(patient_id: str, merged: Mapping[str, str]) -> str:
    seen = [patient_id]
    while (into := merged.get(seen[-1], "")) and into not in seen:
        seen.append(into)
    return min(seen[seen.index(into) :]) if into else seen[-1]


def merge_map(practice_id: int) -> MergeMap:
    patients = Patient.objects.for_practice(practice_id).exclude(merged_into="", unmerged_from="")
    rows = patients.values_list("external_id", "merged_into", "unmerged_from")
    return MergeMap(
        {id: into for id, into, _ in rows if into},
        {id: before for id, into, before in rows if before and not into},
    )
