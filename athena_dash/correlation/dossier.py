"""Visit ids → VisitFacts of all of them, in one statement per kind of record; never one per visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from athena_dash.core import clock
from athena_dash.core.one_trip import Row
from athena_dash.correlation import dossier_sql as sql
from athena_dash.correlation.estimate import Learned
from athena_dash.correlation.neighbours import AROUND, neighbours_of
from athena_dash.correlation.offered_sql import offered_to
from athena_dash.correlation.visit_facts import (
    NO_USUAL,
    AppointmentFacts,
    ClaimFacts,
    CoverFacts,
    EncounterFacts,
    EpisodeFacts,
    LineFacts,
    Neighbours,
    ServiceFacts,
    SlotFacts,
    VisitFacts,
)
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage, meaning
from athena_dash.records.facts import SLOTS

NOBODY = Neighbours()

Fact = TypeVar("Fact")


def load(
    practice_id: int, visit_ids: Collection[int], policies: Policies, learned: Learned
) -> list[VisitFacts]:
    found, encounters, services, claims, lines, notes, episodes = sql.rows(
        practice_id,
        visit_ids,
        *(sql.VISITS, sql.ENCOUNTERS, sql.SERVICES, sql.CLAIMS, sql.LINES, sql.NOTES, sql.EPISODES),
    )
    visits = {row[0]: row for row in found}.values()
    encounters_of = by_owner(encounters, EncounterFacts)
    services_of = by_owner(services, ServiceFacts)
    claims_of = by_owner(claims, claims_from(lines, notes, Stages(policies.claim_statuses)))
    episode_of = {row[0]: EpisodeFacts(*row[1:]) for row in episodes}
    results_of = results(practice_id, visit_ids, policies)
    # What else may explain a missing claim is read only of visits that have none: nobody asks it of the others. Around
    # days to come nobody has been charged yet.
    nearest = clock.now().date() + AROUND
    bare = [row for row in visits if row[0] not in claims_of]
    around = neighbours_of(practice_id, {(row[5], row[3]) for row in bare if row[3] and row[3] <= nearest})
    offered = offered_to(practice_id, [row[0] for row in bare])
    visit: Callable[..., VisitFacts] = VisitFacts  # the rows of a cursor have no types to check
    return [
        visit(  # by place: names cost a third of making it
            *row[:2],
            zone(row[2]),
            *row[3:COVER],
            AppointmentFacts(*row[APPOINTMENT:]) if row[APPOINTMENT] else None,
            encounters_of.get(row[0], ()),
            services_of.get(row[0], ()),
            claims_of.get(row[0], ()),
            CoverFacts(*row[COVER:INSURED]) if row[COVER] is not None else None,
            row[INSURED],
            results_of.get(row[0], ()),
            learned.allowed.get(row[COVER - 2], NO_USUAL),
            episode_of.get(row[0]),
            offered.get(row[0], ()),
            around.get((row[5], row[3]), NOBODY),
            row[SAID:APPOINTMENT],
        )
        for row in visits
    ]


zone = cache(ZoneInfo)  # which looks long at its own cache
COVER, INSURED, SAID, APPOINTMENT = 13, 17, 18, 21  # where their columns begin in a row of sql.VISITS


def results(
    practice_id: int, visit_ids: Collection[int], policies: Policies
) -> Mapping[int, tuple[str, ...]]:
    """Observations are many: they are read only where the practice has said which tests it does itself (G16)."""
    if not policies.value("in_house_tests"):
        return {}
    found: dict[int, list[str]] = defaultdict(list)
    for visit_id, code in sql.rows(practice_id, visit_ids, sql.RESULTS)[0]:
        found[visit_id].append(code)
    return {visit_id: tuple(codes) for visit_id, codes in found.items()}


def by_owner(rows: Iterable[Row], fact: Callable[..., Fact]) -> Mapping[Any, tuple[Fact, ...]]:
    """Rows of (owner, fields of the fact…) → each owner's facts, in the order of the rows."""
    found: dict[Any, list[Fact]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(fact(*row[1:]))
    return {owner: tuple(facts) for owner, facts in found.items()}


def claims_from(lines: Iterable[Row], notes: Iterable[Row], stages: Stages) -> Callable[..., ClaimFacts]:
    """What makes a claim of its row: its lines and notes are found by its id."""
    lines_of = lines_by_claim(lines)
    notes_of = stages_of_notes(notes, stages)

    def claim(
        id: str, service_date: date, created_on: date, provider_id: str, second_policy: bool, *seen: Any
    ) -> ClaimFacts:
        stages_told, last_note, denied = notes_of.get(id, NO_NOTES)
        return ClaimFacts(
            id,
            service_date,
            created_on,
            provider_id,
            slots_from(seen, stages),
            lines_of.get(id, ()),
            stages_told,
            second_policy,
            last_note,
            denied,
        )

    return claim


def lines_by_claim(rows: Iterable[Row]) -> Mapping[str, tuple[LineFacts, ...]]:
    read = Amounts()
    found: dict[str, list[LineFacts]] = defaultdict(list)
    for claim_id, code, amount, payments, outstanding, posted_on, units, adjustments, holder in rows:
        sums = read[amount], read[payments], read[outstanding]
        found[claim_id].append(LineFacts(code, *sums, posted_on, read[units], read[adjustments], holder))
    return {claim_id: tuple(lines) for claim_id, lines in found.items()}


def slots_from(seen: Row, stages: Stages) -> tuple[SlotFacts, ...]:
    """Of each payer column in turn: its status, since when we have seen it, whether it was so before us."""
    return tuple(
        [SlotFacts(name, seen[at], stages[seen[at]], seen[at + 1], seen[at + 2]) for at, name in PLACED]
    )


PLACED = tuple(zip(range(0, 3 * len(SLOTS), 3), SLOTS, strict=True))

Notes = tuple[tuple[ClaimStage, ...], str, bool]
"""The stages they tell of, oldest first, what the newest says of the payer, and whether any says that it denied."""
NO_NOTES: Notes = ((), "", False)


def stages_of_notes(rows: Iterable[Row], stages: Stages) -> Mapping[str, Notes]:
    """athena numbers a claim's notes as they are written."""
    found: dict[str, list[tuple[int, ClaimStage, str]]] = defaultdict(list)
    for claim_id, external_id, status, says in rows:
        number = external_id.rpartition("/")[2]
        found[claim_id].append((int(number) if number.isdecimal() else 0, stages[status], says))
    for notes in found.values():
        notes.sort()
    return {
        id: (tuple(stage for _, stage, _ in notes), notes[-1][2], any(says == "denied" for *_, says in notes))
        for id, notes in found.items()
    }


class Amounts(dict[Any, Any]):
    """Amounts as PostgreSQL writes them → Decimals; each is read once a batch, for most are alike."""

    def __missing__(self, written: str | None) -> Decimal | None:
        found = self[written] = None if written is None else Decimal(written)
        return found


class Stages(dict[str, ClaimStage]):
    """A practice's status words → stages; each word is looked up once a batch."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        super().__init__()
        self.overrides = overrides

    def __missing__(self, raw: str) -> ClaimStage:
        self[raw] = meaning(raw, self.overrides).stage
        return self[raw]
