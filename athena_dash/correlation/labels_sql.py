"""Claims whose visit is known, their id hidden one at a time → how often each level is seen; holds raw SQL.

Known by the id they carry, or because a person said so. Each is compared with the visits around its day as if it had no
id, all others keeping theirs: what a record without one meets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from athena_dash.correlation import scoring_sql, unbound_sql
from athena_dash.correlation.learning import Labels, Lone
from athena_dash.correlation.matching_sql import compare
from athena_dash.correlation.merges import merge_map
from athena_dash.correlation.scope import MERGES
from athena_dash.correlation.tables import fill, prepare, run

SAMPLE = 20_000

# Those that name a visit which is not here teach how often that happens, and what another visit's claim looks like.
NAMED = """
from correlation_link l
join records_claim c on c.practice_id = %(practice)s and c.external_id = l.record_id and c.gone_at is null
where l.practice_id = %(practice)s and l.kind = 'claim' and c.service_date is not null and c.patient_id <> ''
  and (l.method = 'manual' or c.appointment_id <> '')
"""
KNOWN = f"{NAMED} and l.method in ('manual', 'id')"
NAMELESS = """
from records_claim c
where c.practice_id = %(practice)s and c.appointment_id = '' and c.gone_at is null
  and c.service_date is not null and c.patient_id <> ''
"""


def sample(claims: str) -> str:
    """By hash, so that learning again from the same records learns the same."""
    return f"""
select 'claim', c.external_id, coalesce(m.survivor, c.patient_id), c.service_date, c.department_id,
    array_remove(array_remove(array[c.billed_provider_id, c.supervising_provider_id], ''), '0'),
    array(select distinct code from unnest(c.procedure_codes) code where code not in ('', '0')),
    array(select distinct code from unnest(c.diagnosis_codes) code where code not in ('', '0'))
from (select c.* {claims} order by md5(c.external_id) limit %(sample)s) c
left join scope_merge m on m.loser = c.patient_id
"""  # noqa: S608 - this module's constants


PATIENTS = """
with survivor as (select distinct patient_id as id from scope_unbound)
select id, id from survivor
union all
select m.loser, m.survivor from survivor s join scope_merge m on m.survivor = s.id and m.loser <> m.survivor
"""

TOLD = f"""
select level.*, l.visit_id = level.visit_id as own from ({scoring_sql.LEVELS}) level
join correlation_link l on l.practice_id = %(practice)s and l.kind = 'claim' and l.record_id = level.record_id
"""  # noqa: S608 - made of this stage's constants
COUNTED = f"""
with told as materialized ({TOLD})
select fact, level, count(*) filter (where own), count(*) filter (where own is not true)
from told cross join lateral (values {", ".join(f"('{fact}', {fact}_level)" for fact in scoring_sql.LEARNT)})
    as seen(fact, level)
where level is not null group by fact, level
union all
select 'record', '', count(*) filter (where placed), count(*) filter (where not placed)
from (select coalesce(bool_or(own), false) as placed from told group by record_id) record
"""  # noqa: S608 - made of this stage's constants
SEEN = ", ".join(f"{fact}_level" for fact in scoring_sql.LEARNT)
ALIKE = f"""
select pairs, count(*) from (
    select jsonb_agg(jsonb_build_array(points, {SEEN}) order by points, {SEEN}) as pairs
    from ({scoring_sql.SCORED}) scored group by record_id
) record group by pairs
"""  # noqa: S608 - made of this stage's constants


def known_claims(practice_id: int) -> int:
    return int(run(f"select count(*) {KNOWN}", {"practice": practice_id})[0][0])


def labels_of(practice_id: int, weights: Mapping[str, Decimal]) -> Labels:
    ask(practice_id, sample(NAMED), weights)
    counts: dict[str, dict[str, tuple[int, int]]] = {fact: {} for fact in scoring_sql.LEARNT}
    placed = lost = 0
    for fact, level, own, other in run(COUNTED, {"practice": practice_id, "kind": "claim"}):
        if fact == "record":
            placed, lost = own, other
        else:
            counts[fact][level] = (own, other)
    return Labels(counts=counts, placed=placed, lost=lost)


def lone_of(practice_id: int, weights: Mapping[str, Decimal]) -> list[Lone]:
    """Claims without an id, those with the same pairs together."""
    ask(practice_id, sample(NAMELESS), weights)
    return [
        Lone(
            pairs=tuple(
                (float(points), tuple(level for level in levels if level))
                for points, *levels in json.loads(pairs)
            ),
            claims=claims,
        )
        for pairs, claims in run(ALIKE, {"practice": practice_id, "kind": "claim"})
    ]


def ask(practice_id: int, records: str, weights: Mapping[str, Decimal]) -> None:
    prepare(large=True)
    merges = merge_map(practice_id)
    values = {"practice": practice_id, "sample": SAMPLE}
    if merges.losers:
        fill("scope_merge", MERGES, {"losers": merges.losers, "survivors": merges.survivors})
    fill("scope_unbound", records, values)
    fill("scope_patient", PATIENTS, values)
    compare(unbound_sql.PAIRS_OF_CLAIMS, weights, values)
