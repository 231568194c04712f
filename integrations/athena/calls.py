"""One call as the layers below the client see it: what kind it is, who is told about it, who paces it.

A `Call` names the endpoint by its template, so that no id and no parameter reaches a log or a metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import httpx

_EXTENSION = "athena_call"


class Effect(StrEnum):
    """What sending the call does on the other side; decides whether it may be sent twice."""

    READ = "read"
    CONSUME = "consume"  # GET …/changed: rows returned are marked processed
    WRITE = "write"
    TOKEN = "token"  # noqa: S105 - the name of an effect


@dataclass(frozen=True, slots=True)
class Call:
    endpoint: str
    practice: str
    effect: Effect = Effect.READ

    @property
    def repeatable(self) -> bool:
        return self.effect in (Effect.READ, Effect.TOKEN)

    def attach(self) -> dict[str, object]:
        """The httpx request extension that carries this call down to the transport."""
        return {_EXTENSION: self}

    @classmethod
    def of(cls, request: httpx.Request) -> Call:
        call = request.extensions[_EXTENSION]
        assert isinstance(call, Call)  # noqa: S101 - only `attach` writes this key
        return call


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt, free of PHI. `outcome` is "ok" or an Action; `quota_left` of the day's `quota` calls remain."""

    endpoint: str
    practice: str
    status: int | None
    milliseconds: float
    bytes: int
    request_id: str | None
    attempt: int
    outcome: str
    quota: int | None
    quota_left: int | None


class CallObserver(Protocol):
    def on_call(self, record: CallRecord) -> None: ...


class Limiter(Protocol):
    """A budget shared by every process that calls for the practice."""

    def acquire(self) -> None:
        """Block until a call may be made."""

    def penalise(self, seconds: float) -> None:
        """athenahealth said 429: nobody should call for this long."""


class Gate(Protocol):
    """Knows, from what became of earlier calls, whether one is worth making."""

    def admit(self) -> None:
        """Raise CircuitOpen when it is not."""


class Unlimited:
    def acquire(self) -> None:
        return None

    def penalise(self, seconds: float) -> None:
        return None


class AlwaysOpen:
    def admit(self) -> None:
        return None


class Unobserved:
    def on_call(self, record: CallRecord) -> None:
        return None
