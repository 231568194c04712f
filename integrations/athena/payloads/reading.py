"""Turns one record's bytes into a frozen struct by the struct's own annotations, leniently.

    str        text            Decimal   money            date      MM/DD/YYYY
    AthenaId   id as string    bool      yes or no        datetime  wall clock, no zone
    int        whole number    time      HH:MM            Struct, tuple[…, ...]  nested

Unknown fields are ignored, missing and null and "" are the default, unknown codes stay as they are. What
cannot be read is an InvalidPayload that names the path and never the value.

Most records are read by `compiled` instead, in a tenth of the time and with the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from integrations.athena.errors import InvalidPayload
from integrations.athena.values import (
    AthenaId,
    athena_id,
    clock_time,
    flag,
    money,
    text,
    us_date,
    us_datetime,
    whole,
)

from .compiled import quick

P = TypeVar("P", bound=msgspec.Struct)
Reader = Callable[[object, str], Any]

_SCALARS: dict[object, Callable[[object], object]] = {
    AthenaId: athena_id,
    Decimal: money,
    bool: flag,
    date: us_date,
    datetime: us_datetime,
    int: whole,
    str: text,
    time: clock_time,
}


def read(kind: type[P], raw: bytes) -> P:
    found = quick(kind, raw)
    return bind(kind, parse(raw), "") if found is None else found


def parse(raw: bytes) -> object:
    """JSON as Python values. Text no UTF-8 can hold survives as surrogates, for its field to refuse."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise InvalidPayload("$", "is nested too deeply") from None
    try:
        return json.loads(raw.decode("utf-8", "surrogateescape"), strict=False, parse_int=_integer)
    except (ValueError, RecursionError):
        raise InvalidPayload("$", "is not JSON") from None


def _integer(digits: str) -> int | float:
    """Python refuses integers of more than 4300 digits; an unread field may hold one."""
    return int(digits) if len(digits) < 1000 else float(digits)


def bind(kind: type[P], value: object, path: str) -> P:
    if not isinstance(value, dict):
        raise InvalidPayload(path or "$", "is not an object")
    found: dict[str, object] = {}
    for field in _fields(kind):
        at = f"{path}.{field.name}" if path else field.name
        read_value = field.reader(value.get(field.name), at)
        if read_value is not None:
            found[field.name] = read_value
        elif field.required:
            raise InvalidPayload(at, "is missing")
    return kind(**found)


class _Field(msgspec.Struct, frozen=True):
    name: str
    reader: Reader
    required: bool


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Field(field.name, _reader(hints[field.name]), field.required)
        for field in msgspec.structs.fields(kind)
    )


def _reader(hint: object) -> Reader:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in args if arg is not NoneType)
        return _reader(inner)
    if origin is tuple:
        return _each(_reader(args[0]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _nested(hint)
    return _scalar(_SCALARS[hint])


def _scalar(convert: Callable[[object], object]) -> Reader:
    def read_scalar(value: object, path: str) -> object:
        try:
            return convert(value)
        except ValueError as error:
            raise InvalidPayload(path, str(error)) from None

    return read_scalar


def _nested(kind: type[msgspec.Struct]) -> Reader:
    return lambda value, path: None if value is None else bind(kind, value, path)


def _each(reader: Reader) -> Reader:
    def read_each(value: object, path: str) -> object:
        if value is None:
            return None
        if not isinstance(value, list):
            raise InvalidPayload(path, "is not a list")
        return tuple(reader(element, f"{path}[{index}]") for index, element in enumerate(value))

    return read_each
