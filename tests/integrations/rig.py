"""An athenahealth of a few lines: scripted answers, everything asked and reported kept, no waiting."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from integrations.athena.calls import CallRecord
from integrations.athena.client import AthenaClient
from integrations.athena.session import Session
from integrations.athena.transport import Policy
from integrations.fhir.client import FhirClient

BASE = "https://athena.test"
PRACTICE = "195900"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def answer(value: object, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, headers=named, content=json.dumps(value).encode())


def body(text: str | bytes, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=text)


class Script(httpx.BaseTransport):
    """Gives the answers in order, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        if isinstance(given, httpx.Response):
            return httpx.Response(given.status_code, headers=given.headers, content=given.content)
        return given(request)


class Pace:
    """A limiter that only remembers."""

    def __init__(self) -> None:
        self.acquired = 0
        self.penalties: list[float] = []

    def acquire(self) -> None:
        self.acquired += 1

    def penalise(self, seconds: float) -> None:
        self.penalties.append(seconds)


class Watch:
    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    def on_call(self, record: CallRecord) -> None:
        self.records.append(record)


class Rig:
    """A session on scripted answers, and what went through it."""

    def __init__(
        self, *answers: Answer, policy: Policy | None = None, auth: httpx.Auth | None = None
    ) -> None:
        self.script = Script(*answers)
        self.pace = Pace()
        self.watch = Watch()
        self.session = Session(
            BASE,
            PRACTICE,
            auth or httpx.Auth(),
            limiter=self.pace,
            observer=self.watch,
            transport=self.script,
            policy=policy or Policy(first_wait=0.0, longest_wait=0.0),
        )
        self.athena = AthenaClient(self.session)
        self.fhir = FhirClient(self.session)

    @property
    def asked(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.script.requests]
