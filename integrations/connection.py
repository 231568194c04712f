"""Tries a connection step by step, as a person typed it, and says in words what works and what does not.

The first failure ends it: what follows would only repeat the same cause. A fresh token is asked for, so a
wrong secret cannot hide behind a cached one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
import msgspec

from .athena.auth import V1_SCOPE, ClientCredentials
from .athena.client import AthenaClient
from .athena.errors import AthenaError, ConfigError, Gone, InvalidResponse
from .athena.origin import PREVIEW, PRODUCTION, read_base_url, read_practice_id
from .athena.session import Session
from .athena.transport import Policy
from .fhir.client import FhirClient
from .fhir.smart import PATH, discover

STEPS = ("address", "reach", "token", "scope", "practice", "departments", "fhir")
_PATIENCE = Policy(attempts=2, patience=20.0)  # a person is watching


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        return self.failure is None

    @property
    def failure(self) -> Step | None:
        return next((step for step in self.steps if step.verdict is Verdict.FAILED), None)


@dataclass(frozen=True, slots=True)
class Settings:
    base_url: str
    practice_id: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = V1_SCOPE


class _Capabilities(msgspec.Struct, frozen=True):
    fhirVersion: str = ""


def check(settings: Settings, transport: httpx.BaseTransport | None = None) -> ConnectionReport:
    steps: list[Step] = []
    try:
        for message in _walk(settings, transport):
            steps.append(Step(STEPS[len(steps)], Verdict.OK, message))
    except AthenaError as error:
        name = STEPS[len(steps)]
        steps.append(Step(name, Verdict.FAILED, _sentence(name, error)))
    steps += [Step(name, Verdict.SKIPPED, "not tried") for name in STEPS[len(steps) :]]
    return ConnectionReport(tuple(steps))


def _walk(settings: Settings, transport: httpx.BaseTransport | None) -> Iterator[str]:
    """One message per step of STEPS, in that order."""
    base_url = read_base_url(settings.base_url)
    practice_id = read_practice_id(settings.practice_id)
    auth = ClientCredentials(
        base_url, practice_id, settings.client_id, settings.client_secret, scope=settings.scope
    )
    yield f"{base_url}, practice {practice_id}"
    with Session(base_url, practice_id, auth, policy=_PATIENCE, transport=transport) as session:
        discover(session)
        yield "athenahealth's API answers"
        session.get(session.call("GET", PATH), PATH)  # the cheapest call that needs a token
        yield "the credential is accepted"
        yield _granted(auth)
        client = AthenaClient(session)
        if not client.ping():
            raise InvalidResponse("athenahealth's ping was not answered")
        yield f"practice {practice_id} answers"
        yield _departments(client)
        yield _fhir(FhirClient(session))


def _granted(auth: ClientCredentials) -> str:
    token = auth.tokens.get(auth.key)
    granted = set(token.scope.split()) if token else set()
    missing = sorted(set(auth.scope.split()) - granted)
    if granted and missing:
        raise ConfigError(f"athenahealth did not grant {', '.join(missing)}")
    return "the scope is granted" if granted else "athenahealth does not say which scope it granted"


def _departments(client: AthenaClient) -> str:
    page = next(client.departments())
    count = page.total if page.total is not None else len(page.items)
    if not count:
        raise ConfigError("the practice shows no department to this app")
    return f"{count} department{'s' if count != 1 else ''}"


def _fhir(client: FhirClient) -> str:
    page = client.metadata()
    try:
        version = msgspec.json.decode(page.items[0], type=_Capabilities).fhirVersion
    except (msgspec.DecodeError, UnicodeDecodeError):
        version = ""
    if not version.startswith("4."):
        raise InvalidResponse("the FHIR endpoint does not speak R4", request_id=page.request_id)
    return "FHIR R4 answers"


def _sentence(step: str, error: AthenaError) -> str:
    if step == "reach" and isinstance(error, ConfigError | InvalidResponse | Gone):
        return (
            f"this is not athenahealth's API ({error.safe_message}); "
            f"production is {PRODUCTION}, preview is {PREVIEW}"
        )
    if step == "practice" and isinstance(error, Gone):
        return "athenahealth knows no practice with this id"
    return error.safe_message
