"""Several statements → the rows of each, in one trip to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import msgspec
import psycopg
from django.db import connection
from psycopg.types.json import set_json_loads

Row = tuple[Any, ...]

set_json_loads(msgspec.json.decode)  # for these cursors; Django's own read JSON as text


def fetch(values: Mapping[str, Any], *statements: str) -> list[list[Row]]:
    """In binary, past Django's cursor: its text of instants alone would cost as much as judging what they say."""
    connection.ensure_connection()
    wire: psycopg.Connection[Any] = connection.connection
    # one goes and comes without a pipeline, whose making takes longer than the trip
    at_once = wire.pipeline() if len(statements) > 1 else nullcontext()
    with connection.wrap_database_errors, at_once:
        cursors = [psycopg.Cursor(wire).execute(statement, values, binary=True) for statement in statements]
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
