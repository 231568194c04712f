"""Runs inside the bench's own environment: Splink over the claims of a CSV set that carry no id → its scored pairs.

`python splink_script.py DIR OUT`. The same blocking (patient after merges, three days) and the same columns as ours,
at levels of agreement like ours, whether another claim names the visit included. `em`: u and m by
expectation–maximisation on the blocked pairs. `labelled`: m from the claims that carry ids, which is what ours learns
from first, and u from their blocked pairs; `labelled, all facts` compares what that other claim bills, too. OUT is CSV:
how, claim_id, encounter_id, probability, weight in bits; seconds without reading the files are printed as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

LOAD = """
create table merge as select * from {merges};
create table visit as
select e.encounter_id as unique_id, coalesce(m.patient_id, e.patient_id) as patient,
    timezone(e.timezone, e.service_start::timestamptz)::date as day, day as near_day,
    timezone('UTC', e.service_start::timestamptz)::date as utc_day,
    e.provider_id as provider, e.supervising_provider_id as supervisor, e.department_id as department,
    list_filter(string_split(coalesce(e.procedure_codes, ''), '|'), lambda x: x <> '') as procedures,
    list_filter(string_split(coalesce(e.diagnosis_codes, ''), '|'), lambda x: x <> '') as diagnoses,
    e.appointment_id as label, coalesce(n.named, 0) as named, coalesce(n.billed, []) as billed, []::text[] as beside
from encounters e left join merge m on m.old_patient_id = e.patient_id
left join (
    select appointment_id, count(*) as named, flatten(list(string_split(coalesce(procedure_codes, ''), '|'))) as billed
    from claims group by appointment_id
) n on n.appointment_id = e.appointment_id;
create table claim as
select c.claim_id as unique_id, coalesce(m.patient_id, c.patient_id) as patient,
    c.service_date::date as day, day as near_day, c.service_date::date as utc_day,
    c.billed_provider_id as provider, '' as supervisor, coalesce(c.department_id, '') as department,
    list_filter(string_split(coalesce(c.procedure_codes, ''), '|'), lambda x: x <> '') as procedures,
    list_filter(string_split(coalesce(c.diagnosis_codes, ''), '|'), lambda x: x <> '') as diagnoses,
    coalesce(c.appointment_id, '') as label, case when c.appointment_id is null then 0 else 1 end::bigint as named,
    []::text[] as billed, coalesce((
        select flatten(list(string_split(coalesce(o.procedure_codes, ''), '|'))) from claims o
        where o.appointment_id = c.appointment_id and o.claim_id <> c.claim_id), []) as beside
from claims c left join merge m on m.old_patient_id = c.patient_id;
create table lone as select * from claim where label = '';
create table known as select * from claim where label <> '';
"""

# The claim is the left side: datasets are ordered by name, a_claim before b_visit. `named`: how many claims name the
# visit, and `billed` what they bill; a claim with an id does not count itself (`beside` is what the others bill).
BILLED = "case when label_l = label_r then beside_l else billed_r end"
APART = f"len({BILLED}) > 0 and len(procedures_l) > 0 and not list_has_any({BILLED}, procedures_l)"


def families(codes: str) -> str:
    return f"list_transform({codes}, lambda x: x[1:4])"


Levels = dict[str, list[tuple[str, str]]]
LEVELS: Levels = {
    "date": [
        ("day_l = day_r and utc_day_r <> day_r", "same local day"),
        ("day_l = day_r", "same day"),
        ("day_l = utc_day_r and abs(date_diff('day', day_l, day_r)) = 1", "utc day"),
        ("abs(date_diff('day', day_l, day_r)) = 1", "one day"),
        ("abs(date_diff('day', day_l, day_r)) = 2", "two days"),
    ],
    "provider": [("provider_l = provider_r", "same"), ("provider_l = supervisor_r", "supervisor")],
    "department": [
        ("NULL", "department_l = '' or department_r = ''"),
        ("department_l = department_r", "same"),
    ],
    "procedures": [
        ("NULL", "len(procedures_l) = 0 or len(procedures_r) = 0"),
        (
            "len(procedures_l) = 1 and list_has_all(procedures_r, procedures_l)"
            " and list_has_all(procedures_l, procedures_r)",
            "one",
        ),
        ("list_has_all(procedures_r, procedures_l) and list_has_all(procedures_l, procedures_r)", "agree"),
        ("list_has_all(procedures_r, procedures_l)", "within"),
        ("list_has_any(procedures_r, procedures_l)", "some"),
        (
            f"list_has_any({families('procedures_r')}, {families('procedures_l')})",
            "family",
        ),
    ],
    "diagnoses": [
        ("NULL", "len(diagnoses_l) = 0 or len(diagnoses_r) = 0"),
        ("list_has_all(diagnoses_r, diagnoses_l) and list_has_all(diagnoses_l, diagnoses_r)", "agree"),
        ("list_has_all(diagnoses_r, diagnoses_l)", "within"),
        ("list_has_any(diagnoses_r, diagnoses_l)", "some"),
    ],
    "taken": [
        (
            f"len({BILLED}) > 0 and list_has_all({BILLED}, procedures_l) and list_has_all(procedures_l, {BILLED})",
            "billed again",
        ),
        (
            f"{APART} and list_has_all(procedures_r, procedures_l) and not list_has_all(procedures_l, procedures_r)"
            f" and list_has_all(list_concat({BILLED}, procedures_l), procedures_r)",
            "billed the rest",
        ),
        (f"{APART} and not list_has_any({families(BILLED)}, {families('procedures_l')})", "billed other"),
        ("named_r > 0 and not (label_l = label_r and named_r = 1)", "taken"),
    ],
}
# By itself Splink does better without the levels of what other claims bill: they are too rare to be told apart.
FEWER = LEVELS | {"taken": LEVELS["taken"][-1:]}
PATIENCE, IMPATIENCE = 25, 6  # rounds of expectation–maximisation; 25 is Splink's own
# Under names that no comparison uses, or Splink would leave the day out of its training.
NEAR = "l.patient = r.patient and abs(date_diff('day', l.near_day, r.near_day)) <= 3"


def settings(facts: Levels, iterations: int) -> SettingsCreator:
    comparisons = [
        {
            "output_column_name": name,
            "comparison_levels": [
                *(level(*one) for one in levels),
                {"sql_condition": "ELSE", "label_for_charts": "else"},
            ],
        }
        for name, levels in facts.items()
    ]
    return SettingsCreator(
        link_type="link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[NEAR],
        retain_matching_columns=False,
        max_iterations=iterations,
    )


def level(condition: str, label: str) -> dict[str, object]:
    if condition == "NULL":
        return {"sql_condition": label, "label_for_charts": "unknown", "is_null_level": True}
    return {"sql_condition": condition, "label_for_charts": label}


def main(directory: Path, out: Path) -> None:
    database = duckdb.connect()
    for name in ("encounters", "claims"):
        database.execute(
            f"create table {name} as select * from read_csv('{directory / name}.csv', all_varchar=true)"  # noqa: S608
        )
    merges = directory / "merges.csv"
    empty = "(select '' as old_patient_id, '' as patient_id where false)"
    database.execute(
        LOAD.format(merges=f"read_csv('{merges}', all_varchar=true)" if merges.exists() else empty)
    )
    api = DuckDBAPI(database)
    visits = api.register("visit", dataset_display_name="b_visit")
    lone = api.register("lone", dataset_display_name="a_lone")
    known = api.register("known", dataset_display_name="a_known")

    began = time.perf_counter()
    try:
        plain = by_themselves(lone, visits, PATIENCE)
    except ValueError:  # where a level never agrees, its m sinks below what Splink accepts
        plain = by_themselves(lone, visits, IMPATIENCE)
    spent = {"em": keep(database, plain, "em", began)}

    database.execute(LABELS)
    for how, facts in (("labelled", FEWER), ("labelled, all facts", LEVELS)):
        began = time.perf_counter()
        taught = Linker([known, visits], settings(facts, PATIENCE), log_level=logging.ERROR)
        taught.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
        taught.training.estimate_m_from_pairwise_labels(
            api.register("label", table_name=f"labels_{len(spent)}")
        )
        taught.training.estimate_parameters_using_expectation_maximisation(
            NEAR,
            fix_m_probabilities=True,
            fix_u_probabilities=False,
            record_sample_proportion=1.0,
            populate_probability_two_random_records_match_from_trained_values=True,
        )
        model = taught.misc.save_model_to_json()
        again = Linker([lone, visits], model, log_level=logging.ERROR)
        spent[how] = keep(database, again, how, began)
    database.execute(f"copy pairs to '{out}' (header)")
    print(json.dumps(spent))


def by_themselves(lone: Any, visits: Any, iterations: int) -> Linker:
    plain = Linker([lone, visits], settings(FEWER, iterations), log_level=logging.ERROR)
    plain.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    plain.training.estimate_parameters_using_expectation_maximisation(
        NEAR,
        fix_u_probabilities=False,
        record_sample_proportion=1.0,
        populate_probability_two_random_records_match_from_trained_values=True,
    )
    return plain


LABELS = """
create table label as
select 'a_known' as source_dataset_l, k.unique_id as unique_id_l,
    'b_visit' as source_dataset_r, v.unique_id as unique_id_r
from known k join visit v on v.label = k.label
"""


def keep(database: duckdb.DuckDBPyConnection, linker: Linker, how: str, began: float) -> float:
    table = linker.inference.predict(threshold_match_probability=0.0).physical_name
    spent = round(time.perf_counter() - began, 1)
    columns = "unique_id_l as claim_id, unique_id_r as encounter_id, match_probability, match_weight"
    select = f"select '{how}' as how, {columns} from {table}"  # noqa: S608
    known = database.execute("select 1 from duckdb_tables() where table_name = 'pairs'").fetchone()
    database.execute(f"insert into pairs {select}" if known else f"create table pairs as {select}")
    return spent


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
