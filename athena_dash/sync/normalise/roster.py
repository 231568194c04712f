"""A page that lists all children of one parent → the Roster that tells which stored children are gone.

Such a page is kept as a payload of its own: the sorted ids, as JSON (sync.ask).
"""

from __future__ import annotations

import msgspec

from athena_dash.records.facts import Roster
from athena_dash.sync.normalise.context import Context

ids = msgspec.json.Decoder(tuple[str, ...])


def services(body: bytes, context: Context) -> tuple[Roster]:
    return (of("serviceline", "encounter_id", body, context),)


def insurances(body: bytes, context: Context) -> tuple[Roster]:
    return (of("insurance", "patient_id", body, context),)


def of(table: str, column: str, body: bytes, context: Context) -> Roster:
    return Roster(table=table, parent_column=column, parent_id=context.subject, external_ids=ids.decode(body))
