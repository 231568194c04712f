"""The quick way from a record's bytes to its struct, made from the same annotations as the patient one (`reading`).

msgspec reads the bytes into a twin of the struct that holds each value as athenahealth sends it; a function written for
the struct makes the struct of it. Whatever is out of the ordinary is refused, for the patient reader to accept with its
coercions or to say which path is wrong; what is accepted is what the patient reader would have given.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from integrations.athena.values import (
    AthenaId,
    athena_id,
    clock_time,
    flag,
    money,
    us_date,
    us_datetime,
    whole,
)

P = TypeVar("P", bound=msgspec.Struct)

_remembered = lru_cache(maxsize=4096)  # days, hours and amounts repeat from record to record
_day = _remembered(us_date)
_clock = _remembered(clock_time)
_MIDNIGHT = time()


class Refused(ValueError):
    """Nothing for the quick reader."""


def quick(kind: type[P], raw: bytes) -> P | None:
    """The record, or None when the patient reader must look at it."""
    if raw.find(b"\\") >= 0 and b"\\u0000" in raw:  # the first look takes a tenth of the second
        return None
    decode, make = _stages(kind)
    try:
        found: P = make(decode(raw))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return found


def _moment(sent: str) -> datetime | None:
    day, _, clock = sent.partition(" ")
    at_day = _day(day)
    return datetime.combine(at_day, _clock(clock) or _MIDNIGHT) if at_day else us_datetime(sent)


def _needed(value: object) -> object:
    if value is None:
        raise Refused
    return value


_SENT: dict[object, Any] = {
    AthenaId: str | int,
    Decimal: str | int | float,
    bool: str | bool,
    date: str,
    datetime: str,
    int: str | int | float,
    str: str,
    time: str,
}
_VALUES: dict[object, Callable[[Any], object]] = {
    AthenaId: athena_id,
    Decimal: _remembered(money),  # an lru_cache takes 1 and 1.0 for two keys, and so does this rely on it
    bool: _remembered(flag),
    date: _day,
    datetime: _moment,
    int: _remembered(whole),
    time: _clock,
}


@cache
def _stages(kind: type[P]) -> tuple[Callable[[bytes], Any], Callable[[Any], P]]:
    return msgspec.json.Decoder(_twin(kind)).decode, _maker(kind)


@cache
def _twin(kind: type[msgspec.Struct]) -> Any:
    hints = get_type_hints(kind)
    fields = [(field.name, _sent(hints[field.name]) | None, None) for field in msgspec.structs.fields(kind)]
    return msgspec.defstruct(f"{kind.__name__}AsSent", fields, gc=False)


def _sent(hint: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in args if arg is not NoneType)
        return _sent(inner) | None
    if origin is tuple:
        return list[_sent(args[0])]  # type: ignore[misc]
    return _SENT[hint] if hint in _SENT else _twin(hint)


@cache
def _maker(kind: type[P]) -> Callable[[Any], P]:
    """`lambda sent: kind(claimid=needed(AthenaId(sent.claimid)), status=sent.status or None, …)`: one expression,
    because a loop over the fields takes twice as long."""
    hints = get_type_hints(kind)
    names: dict[str, Any] = {"kind": kind, "needed": _needed}
    arguments = []
    for field in msgspec.structs.fields(kind):
        value = _expression(hints[field.name], f"sent.{field.name}", names)
        arguments.append(f"{field.name}=" + (f"needed({value})" if field.required else value))
    made: Callable[[Any], P] = eval(f"lambda sent: kind({', '.join(arguments)})", names)  # noqa: S307 - our own text
    return made


def _expression(hint: Any, sent: str, names: dict[str, Any]) -> str:
    """The source of the value made of `sent`; what it calls is put into `names`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in args if arg is not NoneType)
        made = _expression(inner, sent, names)
        return f"({made}) if {sent} is not None else None" if get_origin(inner) is tuple else made
    if origin is tuple:
        each = _expression(args[0], "each", names)
        return f"tuple([{each} for each in {sent}]) if {sent} else ()"
    if hint is str:
        return f"{sent} or None"
    names[hint.__name__] = _VALUES[hint] if hint in _VALUES else _maker(hint)
    return f"{hint.__name__}({sent}) if {sent} is not None else None"
