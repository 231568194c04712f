"""athenaOne v1 of one practice as streams of Pages, by resource name or by the call's own name.

`pages`, `fetch` and `changed` are the whole of it, driven by the table in `endpoints`; the named methods say
which parameters a resource takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import partial

import msgspec

from .ahead import Ahead, one_by_one
from .calls import Effect
from .endpoints import Endpoint, endpoint
from .errors import Gone, InvalidResponse
from .faults import unsettled
from .page import Page, Records, Shape, split
from .paging import by_offset, until_empty
from .session import Answer, Session
from .subscriptions import Subscriptions
from .wire import Parameter, filled, parameter, processed_window

_pong = msgspec.json.Decoder(dict[str, object])


class AthenaClient:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.subscriptions = Subscriptions(session)

    # ------------------------------------------------------------------ by resource name

    def pages(self, resource: str, ahead: Ahead = one_by_one, /, **params: Parameter) -> Iterator[Page]:
        """A whole list, read as it is walked or `ahead`. `params` are v1's names; those in the path are required.

        A smaller `limit` is the way out when an answer is too large.
        """
        wanted = endpoint(resource)
        if wanted.path is None:
            raise ValueError(f"v1 has no list of {resource}")
        ids = {name: str(params.pop(name)) for name in wanted.parents}
        path = self._path(filled(wanted.path, ids))
        query = _query(wanted, params, many=True)
        fetch = partial(self._page, wanted, wanted.path, path)
        return by_offset(lambda offset: fetch([*query, *_from(offset)]), path, ahead)

    def fetch(self, resource: str, record_id: str, **params: Parameter) -> Page:
        """One record by its id; Gone when athenahealth has none."""
        wanted = endpoint(resource)
        if wanted.one is None:
            raise ValueError(f"v1 reads no single record of {resource}")
        path = self._path(filled(wanted.one, {wanted.id_field: record_id}))
        page = self._page(wanted, wanted.one, path, _query(wanted, params), many=False)
        if not page.items:
            raise Gone("athenahealth has no such record", request_id=page.request_id, endpoint=wanted.one)
        return page

    def changed(
        self,
        resource: str,
        *,
        processed_between: tuple[datetime, datetime] | None = None,
        leave_unprocessed: bool = False,
        **params: Parameter,
    ) -> Iterator[Page]:
        """The changed feed. **Reading marks rows as processed**: keep each page before asking for the next.

        After an UnknownOutcome, read the minutes around it again with `processed_between`, which consumes
        nothing. `leave_unprocessed` consumes nothing either, but athenahealth means it for testing.
        """
        wanted = endpoint(resource)
        if wanted.feed is None:
            raise ValueError(f"v1 has no changed feed of {resource}")
        path = self._path(wanted.feed)
        query = _query(wanted, params, many=True)
        fetch = partial(self._page, wanted, wanted.feed, path)
        if processed_between is None and not leave_unprocessed:
            return until_empty(lambda: fetch(query, effect=Effect.CONSUME))
        if processed_between is not None:
            query += processed_window(*processed_between).items()
        else:
            query.append(("leaveunprocessed", "true"))
        return by_offset(lambda offset: fetch([*query, *_from(offset)]), path)

    # ------------------------------------------------------------------ by name

    def ping(self) -> bool:
        answer = self.session.get(self.session.call("GET", "/ping"), self._path("/ping"))
        try:
            return "pong" in _pong.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False

    def departments(self) -> Iterator[Page]:
        return self.pages("departments")

    def providers(self) -> Iterator[Page]:
        return self.pages("providers")

    def patient(self, patient_id: str) -> Page:
        return self.fetch("patients", patient_id)

    def insurances(self, patient_id: str) -> Iterator[Page]:
        return self.pages("insurances", patientid=patient_id)

    def appointments(self, start: date, end: date, **params: Parameter) -> Iterator[Page]:
        """Booked appointments by their day, cancelled ones and nested claims included."""
        return self.pages("appointments", startdate=start, enddate=end, **params)

    def appointment(self, appointment_id: str) -> Page:
        return self.fetch("appointments", appointment_id)

    def encounters(self, patient_id: str, department_id: str, **params: Parameter) -> Iterator[Page]:
        """athenahealth demands the department, although the chart may be shared between several."""
        return self.pages("encounters", patientid=patient_id, departmentid=department_id, **params)

    def encounter(self, encounter_id: str) -> Page:
        return self.fetch("encounters", encounter_id)

    def services(self, encounter_id: str) -> Iterator[Page]:
        return self.pages("services", encounterid=encounter_id)

    def claims_of_service(self, start: date, end: date, **params: Parameter) -> Iterator[Page]:
        return self.pages("claims", servicestartdate=start, serviceenddate=end, **params)

    def claims_of_appointment(self, appointment_id: str) -> Iterator[Page]:
        return self.pages("claims", appointmentid=appointment_id)

    def claim(self, claim_id: str) -> Page:
        return self.fetch("claims", claim_id)

    def transactions(self, claim_id: str) -> Iterator[Page]:
        return self.pages("transactions", claimid=claim_id)

    def claim_notes(self, claim_id: str) -> Iterator[Page]:
        return self.pages("claim_notes", claimid=claim_id)

    # ------------------------------------------------------------------

    def _path(self, below_practice: str) -> str:
        return f"/v1/{self.session.practice_id}{below_practice}"

    def _page(
        self,
        wanted: Endpoint,
        template: str,
        path: str,
        query: list[tuple[str, str]],
        *,
        effect: Effect = Effect.READ,
        many: bool = True,
    ) -> Page:
        call = self.session.call("GET", template, effect)
        answer = self.session.get(call, path, query)
        try:
            records = split(answer.body, wanted.envelope)
            if many and not _is_list(wanted, records):
                raise InvalidResponse(f"athenahealth's answer has no {wanted.envelope or 'list'} in it")
        except InvalidResponse as error:
            error.request_id, error.endpoint = answer.request_id, call.endpoint
            raise unsettled(call, error) from None
        return _as_page(wanted.resource, records, answer)


def _is_list(wanted: Endpoint, records: Records) -> bool:
    expected = Shape.ARRAY if wanted.envelope is None else Shape.ENVELOPE
    # `services` has no recorded answer; its siblings come both ways (athena-api.md §2.0 "Shapes")
    return records.shape is expected or records.shape is Shape.ARRAY


def _as_page(resource: str, records: Records, answer: Answer) -> Page:
    return Page(
        resource=resource,
        items=records.items,
        total=records.total,
        next=records.next,
        request_id=answer.request_id,
        fetched_at=answer.sent_at,
    )


def _query(wanted: Endpoint, params: Mapping[str, Parameter], *, many: bool = False) -> list[tuple[str, str]]:
    limit = {"limit": wanted.page_size} if many and wanted.page_size is not None else {}
    merged: dict[str, Parameter] = {**limit, **wanted.always, **params}
    return [(name, parameter(value)) for name, value in merged.items()]


def _from(offset: int) -> list[tuple[str, str]]:
    return [("offset", str(offset))] if offset else []
