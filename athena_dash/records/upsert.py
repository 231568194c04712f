"""Facts → rows, set-based, by natural key; holds raw SQL.

Per view: one INSERT … ON CONFLICT of the rows that truly differ, which arrive as an array a column (COPY into a
staging table costs as much and needs each row written out in Python). A row that would not change is not written and
leaves no dead tuple; what the raw store knows does not come here at all. Order is the caller's duty: it never hands
over a payload for which a newer one of the same record is stored (sync.landing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, cast

from django.apps import apps
from django.db import connection, models
from msgspec.structs import astuple
from psycopg import sql

from athena_dash.core import literals
from athena_dash.core.one_trip import fetch
from athena_dash.records.facts import Fact, Roster, Sourced

Touched = dict[str, set[str]]
"""Changed rows: table name → external ids."""


def upsert(practice_id: int, batch: Sequence[Sourced]) -> Touched:
    """Write the batch inside the caller's transaction; return what changed. Later facts win over earlier ones."""
    touched: Touched = defaultdict(set)
    by_kind: dict[type[Any], list[Sourced]] = defaultdict(list)
    for sourced in batch:
        by_kind[type(sourced.fact)].append(sourced)
    rosters = by_kind.pop(Roster, [])
    for view, rows in by_kind.items():
        touched[view.table] |= upsert_view(practice_id, view, in_order(rows))
    for table, some in by_table(rosters).items():
        touched[table] |= mark_gone(practice_id, table, some)
    return {table: ids for table, ids in touched.items() if ids}


def in_order(rows: Iterable[Sourced]) -> list[Sourced]:
    """The last of each key, by keys: two writers of one table then wait for each other in one direction only."""
    newest = {cast(Fact, row.fact).external_id: row for row in rows}
    return [newest[key] for key in sorted(newest)]


def by_table(rosters: Iterable[Sourced]) -> dict[str, list[Sourced]]:
    found: dict[str, list[Sourced]] = defaultdict(list)
    for sourced in rosters:
        found[cast(Roster, sourced.fact).table].append(sourced)
    return found


def upsert_view(practice_id: int, view: type[Fact], rows: Sequence[Sourced]) -> set[str]:
    number = {stamp: place for place, stamp in enumerate({row.fetched_at for row in rows}, start=1)}
    arrived = zip(*[astuple(cast(Fact, row.fact)) for row in rows], strict=True)
    values = {
        "practice_id": practice_id,
        **absent_defaults(view),
        **dict(zip(view.__struct_fields__, map(column, arrived), strict=True)),
        "raw_ids": literals.array([row.raw_id for row in rows]),
        "stamps": literals.array(list(number)),
        "numbers": literals.array([number[row.fetched_at] for row in rows]),
    }
    (changed,) = fetch(values, upsert_sql(view))
    return {external_id for (external_id,) in changed}


def column(values: Sequence[Any]) -> str:
    """The array of a column. Lists inside one must be of a length, so each is written out as text."""
    return literals.array([codes(value) for value in values] if isinstance(values[0], tuple) else values)


codes = lru_cache(maxsize=1024)(literals.text_array)
"""Of one claim: those of the last thousand repeat."""


def mark_gone(practice_id: int, table: str, rosters: Sequence[Sourced]) -> set[str]:
    """Rows of the rostered parents are gone when their newest roster does not name them, and back when it does:
    a child that comes back as it was brings no new payload of its own."""
    newest = {cast(Roster, sourced.fact).parent_id: sourced for sourced in rosters}
    parent_column = cast(Roster, rosters[0].fact).parent_column
    kept = [(parent, child) for parent, s in newest.items() for child in cast(Roster, s.fact).external_ids]
    statement = sql.SQL(
        """
        with roster as (
            select * from unnest(%s::text[], %s::timestamptz[]) as r(parent_id, fetched_at)
        ), kept as (
            select * from unnest(%s::text[], %s::text[]) as k(parent_id, external_id)
        ), child as (  -- one look into the index per parent: as a join, all children there are may be read
            select c.*, r.fetched_at from roster r
            cross join lateral (
                select t.id, t.external_id, t.{parent} as parent_id, t.gone_at is null as alive from {table} t
                where t.practice_id = %s and t.{parent} = r.parent_id offset 0
            ) c
        ), differing as (
            select c.id, c.fetched_at from child c left join kept k using (parent_id, external_id)
            where c.alive <> (k.external_id is not null)
        )
        update {table} t set gone_at = case when t.gone_at is null then d.fetched_at end
        from differing d where d.id = t.id
        returning t.external_id
        """
    ).format(table=sql.Identifier(model_of(table)._meta.db_table), parent=sql.Identifier(parent_column))
    arguments: list[Any] = [
        literals.text_array(newest),
        literals.text_array([sourced.fetched_at.isoformat() for sourced in newest.values()]),
        literals.text_array([parent for parent, _ in kept]),
        literals.text_array([child for _, child in kept]),
        practice_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return {external_id for (external_id,) in cursor.fetchall()}


def mark_record_gone(practice_id: int, table: str, external_id: str, at: Any) -> Touched:
    """The source answered 404 for this record by id."""
    changed = (
        cast(Any, model_of(table))
        .objects.filter(practice_id=practice_id, external_id=external_id, gone_at__isnull=True)
        .update(gone_at=at)
    )
    return {table: {external_id}} if changed else {}


@cache
def model_of(table: str) -> type[models.Model]:
    return apps.get_model("records", table)


def columns(names: Iterable[str], alias: str = "") -> sql.Composable:
    prefix = sql.SQL(f"{alias}.") if alias else sql.SQL("")
    return sql.SQL(", ").join(prefix + sql.Identifier(name) for name in names)


@cache
def upsert_sql(view: type[Fact]) -> str:
    fields = view.__struct_fields__
    carried = [field for field in fields if field != "external_id"]
    absent = {field.attname: cast(str, field.db_type(connection)) for field in absent_fields(view)}
    types = {f.attname: cast(str, f.db_type(connection)) for f in model_of(view.table)._meta.concrete_fields}
    arrived = [f"%({name})s::{types[name].partition('(')[0].removesuffix('[]')}[]" for name in fields]
    at = "(%(stamps)s::timestamptz[])[s.number]"  # few instants for many rows: read once each
    statement = sql.SQL(
        """
        insert into {table} as t (practice_id, external_id, raw_id, fetched_at, {carried}{first_seen}{absent})
        select %(practice_id)s, s.external_id, s.raw_id, {at}, {staged}{first_fetched}{defaults}
        from unnest({arrived}, %(raw_ids)s::bigint[], %(numbers)s::int[]) as s({names}, raw_id, number)
        on conflict (practice_id, external_id) do update
        set ({carried}, raw_id, fetched_at, gone_at)
            = row({excluded}, excluded.raw_id, excluded.fetched_at, null){dated}
        where t.gone_at is not null or ({old}) is distinct from ({excluded})
        returning t.external_id
        """
    ).format(
        table=sql.Identifier(model_of(view.table)._meta.db_table),
        at=sql.SQL(at),
        arrived=sql.SQL(", ".join(arrived)),
        names=columns(fields),
        carried=columns(carried),
        staged=sql.SQL(", ").join(
            sql.SQL("s.{}::{}").format(sql.Identifier(name), sql.SQL(types[name])) for name in carried
        ),
        old=columns(carried, "t"),
        excluded=columns(carried, "excluded"),
        first_seen=sql.SQL(f", {view.first_seen}" if view.first_seen else ""),
        first_fetched=sql.SQL(f", {at}" if view.first_seen else ""),
        dated=dated(view),
        absent=sql.SQL("").join(sql.SQL(", ") + sql.Identifier(name) for name in absent),
        defaults=sql.SQL("").join(sql.SQL(f", %({name})s::{kind}") for name, kind in absent.items()),
    )
    return statement.as_string()


def dated(view: type[Fact]) -> sql.Composable:
    """When a dated column changes after the view has spoken of the row once, the instant is kept beside it."""
    if not view.first_seen:
        return sql.SQL("")
    changed = [
        f"{since} = case when t.{view.first_seen} is not null and t.{column} <> excluded.{column} "
        f"then excluded.fetched_at else t.{since} end"
        for column, since in view.since.items()
    ]
    first = f"{view.first_seen} = coalesce(t.{view.first_seen}, excluded.fetched_at)"
    return sql.SQL("".join(f", {each}" for each in [first, *changed]))


def absent_fields(view: type[Fact]) -> list[Any]:
    """Columns another view owns: only a new row needs a value for them, the model's default."""
    ours = {"id", "practice_id", "raw_id", "fetched_at", view.first_seen, *view.since.values()}
    known = {*ours, *view.__struct_fields__}
    return [field for field in model_of(view.table)._meta.concrete_fields if field.attname not in known]


@cache
def absent_defaults(view: type[Fact]) -> dict[str, Any]:
    return {field.attname: field.get_default() for field in absent_fields(view)}
