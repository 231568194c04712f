"""Facts → rows, set-based, by natural key; holds raw SQL.

Per view: rows nobody knows are inserted, the others updated where they truly differ; facts arrive as an array a column.
One INSERT … ON CONFLICT for both looks each row up by itself and costs a quarter more; COPY into a staging table needs
each row written out in Python. A row that would not change is not written and leaves no dead tuple; what the raw store
knows does not come here at all. Order is the caller's duty: it never hands over a payload for which a newer one of the
same record is stored, and tries again when another writer has added the same row (sync.landing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast

from django.apps import apps
from django.db import connection, models
from msgspec.structs import astuple
from psycopg import sql

from athena_dash.core import literals
from athena_dash.core.one_trip import Row, fetch
from athena_dash.records.facts import Fact, Roster, Sourced

Touched = dict[str, set[str]]
"""Changed rows: table name → external ids."""


def upsert(practice_id: int, batch: Sequence[Sourced]) -> Touched:
    """Write the batch inside the caller's transaction; return what changed. Later facts win over earlier ones."""
    touched: Touched = defaultdict(set)
    by_kind: dict[type[Any], list[Any]] = defaultdict(list)
    for sourced in batch:
        by_kind[type(sourced.fact)].append(sourced)
    rosters = by_kind.pop(Roster, [])
    for view, rows in by_kind.items():
        touched[view.table] |= upsert_view(practice_id, view, in_order(rows))
    # last: a child of which another view still speaks may be gone
    for table, some in by_table(rosters).items():
        touched[table] |= mark_gone(practice_id, table, some)
    return {table: ids for table, ids in touched.items() if ids}


def in_order(rows: Iterable[Any]) -> dict[str, Sourced]:
    """The last of each key, by keys: two writers of one table then wait for each other in one direction only."""
    newest = {row.fact.external_id: row for row in rows}
    return {key: newest[key] for key in sorted(newest)}


def by_table(rosters: Iterable[Sourced]) -> dict[str, list[Sourced]]:
    found: dict[str, list[Sourced]] = defaultdict(list)
    for sourced in rosters:
        found[cast(Roster, sourced.fact).table].append(sourced)
    return found


def upsert_view(practice_id: int, view: type[Fact], rows: Mapping[str, Sourced]) -> set[str]:
    (((held,),),) = fetch(
        {"practice_id": practice_id, "keys": literals.array(rows)},
        KNOWN.format(table=model_of(view.table)._meta.db_table),
    )
    known = set(held or ())
    write(practice_id, view, insert_sql(view), [row for key, row in rows.items() if key not in known])
    changed = write(practice_id, view, update_sql(view), [rows[key] for key in rows if key in known])
    return (rows.keys() - known).union(external_id for (external_id,) in changed)


KNOWN = """
select array_agg(external_id) from {table}
where practice_id = %(practice_id)s and external_id = any(%(keys)s::text[])
"""


def write(practice_id: int, view: type[Fact], statement: str, rows: Sequence[Any]) -> list[Row]:
    if not rows:
        return []
    stamps = [row.fetched_at for row in rows]
    number = {stamp: place for place, stamp in enumerate(set(stamps), start=1)}
    arrived = zip(*[astuple(row.fact) for row in rows], strict=True)
    values = {
        "practice_id": practice_id,
        **absent_defaults(view),
        **dict(zip(view.__struct_fields__, map(column, arrived), strict=True)),
        "raw_ids": literals.array([row.raw_id for row in rows]),
        "stamps": literals.array(number),
        "numbers": literals.array([number[stamp] for stamp in stamps]),
    }
    (returned,) = fetch(values, statement)
    return returned


def column(values: Sequence[Any]) -> str:
    """The array of a column. Lists inside one must be of a length, so each is written out as text."""
    return literals.array([codes(value) for value in values] if isinstance(values[0], tuple) else values)


codes = lru_cache(maxsize=1024)(literals.text_array)
"""Of one claim: those of the last thousand repeat."""


def mark_gone(practice_id: int, table: str, rosters: Sequence[Sourced]) -> set[str]:
    """Rows of the rostered parents are gone when their newest roster does not name them, and back when it does:
    a child that comes back as it was brings no new payload of its own."""
    newest = {cast(Roster, sourced.fact).parent_id: sourced for sourced in rosters}
    kept = [(parent, child) for parent, s in newest.items() for child in cast(Roster, s.fact).external_ids]
    values = {
        "practice_id": practice_id,
        "parents": literals.array(newest),
        "stamps": literals.array([sourced.fetched_at for sourced in newest.values()]),
        "parents_of_kept": literals.array([parent for parent, _ in kept]),
        "kept": literals.array([child for _, child in kept]),
    }
    statement = GONE.format(
        table=model_of(table)._meta.db_table, parent=cast(Roster, rosters[0].fact).parent_column
    )
    (changed,) = fetch(values, statement)
    return {external_id for (external_id,) in changed}


GONE = """
update {table} t set gone_at = case when t.gone_at is null then r.fetched_at end
from unnest(%(parents)s::text[], %(stamps)s::timestamptz[]) as r(parent_id, fetched_at)
where t.practice_id = %(practice_id)s and t.{parent} = any(%(parents)s::text[]) and t.{parent} = r.parent_id
  and (t.gone_at is null) <> (
      (t.{parent}, t.external_id) in (select * from unnest(%(parents_of_kept)s::text[], %(kept)s::text[])))
returning t.external_id
"""


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
def insert_sql(view: type[Fact]) -> str:
    """For rows nobody knew a moment ago; one that another writer adds meanwhile is an IntegrityError."""
    carried = carried_by(view)
    absent = {field.attname: cast(str, field.db_type(connection)) for field in absent_fields(view)}
    statement = sql.SQL(
        """
        insert into {table} (practice_id, external_id, raw_id, fetched_at, {carried}{first_seen}{absent})
        select %(practice_id)s, s.external_id, s.raw_id, s.fetched_at, {arrived}{first_fetched}{defaults}
        from ({facts}) s
        """
    ).format(
        table=sql.Identifier(model_of(view.table)._meta.db_table),
        carried=columns(carried),
        arrived=columns(carried, "s"),
        facts=facts(view),
        first_seen=sql.SQL(f", {view.first_seen}" if view.first_seen else ""),
        first_fetched=sql.SQL(", s.fetched_at" if view.first_seen else ""),
        absent=sql.SQL("").join(sql.SQL(", ") + sql.Identifier(name) for name in absent),
        defaults=sql.SQL("").join(sql.SQL(f", %({name})s::{kind}") for name, kind in absent.items()),
    )
    return statement.as_string()


@cache
def update_sql(view: type[Fact]) -> str:
    """The keys are named twice, so that they are found by one walk through the index and not row by row."""
    carried = carried_by(view)
    statement = sql.SQL(
        """
        update {table} t set ({carried}, raw_id, fetched_at, gone_at)
            = row({arrived}, s.raw_id, s.fetched_at, null){dated}
        from ({facts}) s
        where t.practice_id = %(practice_id)s and t.external_id = any(%(external_id)s::text[])
          and t.external_id = s.external_id and (t.gone_at is not null or ({old}) is distinct from ({arrived}))
        returning t.external_id
        """
    ).format(
        table=sql.Identifier(model_of(view.table)._meta.db_table),
        carried=columns(carried),
        arrived=columns(carried, "s"),
        old=columns(carried, "t"),
        facts=facts(view),
        dated=dated(view),
    )
    return statement.as_string()


def facts(view: type[Fact]) -> sql.Composable:
    """The arrays side by side; as a function in `from` they would be kept a second time before they are read."""
    types = {f.attname: cast(str, f.db_type(connection)) for f in model_of(view.table)._meta.concrete_fields}
    fields = view.__struct_fields__
    arrays = [f'unnest(%({name})s::{base(types[name])}[]) as "{name}"' for name in fields]
    typed = [f'"{name}"::{types[name]} as "{name}"' for name in fields]
    return sql.SQL(  # few instants for many rows: read once each
        f"""
        select {", ".join(typed)}, raw_id, (%(stamps)s::timestamptz[])[number] as fetched_at
        from (select {", ".join(arrays)}, unnest(%(raw_ids)s::bigint[]) as raw_id,
              unnest(%(numbers)s::int[]) as number) arrived
        """  # noqa: S608 - names of ours
    )


def base(kind: str) -> str:
    """What an element of `column` is read as: "numeric" for "numeric(12, 2)", "text" for "text[]"."""
    return kind.partition("(")[0].removesuffix("[]")


def carried_by(view: type[Fact]) -> list[str]:
    return [field for field in view.__struct_fields__ if field != "external_id"]


def dated(view: type[Fact]) -> sql.Composable:
    """When a dated column changes after the view has spoken of the row once, the instant is kept beside it."""
    if not view.first_seen:
        return sql.SQL("")
    changed = [
        f"{since} = case when t.{view.first_seen} is not null and t.{column} <> s.{column} "
        f"then s.fetched_at else t.{since} end"
        for column, since in view.since.items()
    ]
    first = f"{view.first_seen} = coalesce(t.{view.first_seen}, s.fetched_at)"
    return sql.SQL("".join(f", {each}" for each in [first, *changed]))


def absent_fields(view: type[Fact]) -> list[Any]:
    """Columns another view owns: only a new row needs a value for them, the model's default."""
    ours = {"id", "practice_id", "raw_id", "fetched_at", view.first_seen, *view.since.values()}
    known = {*ours, *view.__struct_fields__}
    return [field for field in model_of(view.table)._meta.concrete_fields if field.attname not in known]


@cache
def absent_defaults(view: type[Fact]) -> dict[str, Any]:
    return {field.attname: field.get_default() for field in absent_fields(view)}
