"""Turns a changed feed on and off, and says whether it is on.

A subscription takes 5 (production) to 15 (preview) minutes to begin and brings nothing from before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from .calls import Effect
from .endpoints import endpoint
from .errors import AthenaError, InvalidResponse, RequestRejected
from .faults import unsettled
from .session import Answer, Session


class State(StrEnum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Subscription:
    feed: str
    state: State
    events: tuple[str, ...]
    department_ids: tuple[str, ...]


_STATES = {state.value: state for state in State}


class _Event(msgspec.Struct, frozen=True):
    eventname: str


class _Status(msgspec.Struct, frozen=True):
    status: str
    subscriptions: tuple[_Event, ...] = ()
    departmentids: tuple[str | int, ...] = ()


class _Done(msgspec.Struct, frozen=True):
    success: bool | str
    errormessage: str | None = None


class Subscriptions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, feed: str) -> Subscription:
        template = _template(feed)
        call = self._session.call("GET", template)
        answer = self._session.get(call, self._path(template))
        try:
            status = msgspec.json.decode(answer.body, type=_Status)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _unreadable(answer, call.endpoint) from None
        return Subscription(
            feed,
            _STATES.get(status.status, State.UNKNOWN),
            tuple(event.eventname for event in status.subscriptions),
            tuple(str(department) for department in status.departmentids),
        )

    def start(self, feed: str, *, event: str | None = None, department_ids: Sequence[str] = ()) -> None:
        """All events unless one is named; all departments unless some are, then always the full list."""
        form = {"departmentids": ",".join(department_ids)} if department_ids else {}
        self._write("POST", feed, form, event)

    def stop(self, feed: str, *, event: str | None = None) -> None:
        self._write("DELETE", feed, {}, event)

    def _write(self, method: str, feed: str, form: dict[str, str], event: str | None) -> None:
        template = _template(feed)
        call = self._session.call(method, template, Effect.WRITE)
        if event:
            form["eventname"] = event
        answer = self._session.write(call, method, self._path(template), form)
        try:
            done = msgspec.json.decode(answer.body, type=_Done)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise unsettled(call, _unreadable(answer, call.endpoint)) from None
        if str(done.success).lower() != "true":
            raise RequestRejected(
                "athenahealth refuses the subscription", request_id=answer.request_id, endpoint=call.endpoint
            )

    def _path(self, template: str) -> str:
        return f"/v1/{self._session.practice_id}{template}"


def _template(feed: str) -> str:
    path = endpoint(feed).feed
    if path is None:
        raise ValueError(f"v1 has no changed feed of {feed}")
    return f"{path}/subscription"


def _unreadable(answer: Answer, endpoint_name: str) -> AthenaError:
    return InvalidResponse(
        "athenahealth's answer about the subscription is not what it documents",
        request_id=answer.request_id,
        endpoint=endpoint_name,
    )
