"""Every recorded request in the sandbox's scope, replayed: status, envelope, keys and JSON types.

A field another recording of the same resource shows is no difference: athena added fields between 2016 and 2023.
ACCEPTED names the differences that remain; any other fails, and so does one that no longer exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.recordings import FOLDER, needs_recordings
from tests.sandbox.server import world
from tests.sandbox.server.accepted_differences import ACCEPTED
from tests.sandbox.server.conftest import FAST, Athena, Time, serving
from tests.sandbox.server.shapes import differences, shape_of

RECORDED, EDITED = FOLDER / "recorded", FOLDER / "edited-real"
pytestmark = needs_recordings

OUT_OF_SCOPE = re.compile(
    r"/(patientappointmentreasons|labresults|topinsurancepackages|misc/topinsurancepackages)\b"
)
# The recording's ids by the ids of the hand-made world.
IDS = [
    (r"/departments/\d+", "/departments/1"),
    (r"/providers/\d+", "/providers/21"),
    (r"/patients/\d+", "/patients/7"),
    (r"/chart/encounter/\d+", "/chart/encounter/901"),
    (r"/chart/\d+/", "/chart/7/"),
    (r"/appointments/\d+", "/appointments/500"),
    (r"/claims/\d+", "/claims/301"),
]
PARAMETERS = {"departmentid": "1,2", "startdate": "03/01/2026", "enddate": "03/31/2026"}
ROWS = {"booked": "appointments", "multipledepartment": "appointments", "encounter": "encounters"}


@dataclass(frozen=True)
class Recorded:
    name: str
    year: int
    method: str
    path: str
    params: dict[str, str]
    status: int
    body: Any

    @property
    def resource(self) -> str:
        """What its rows are: the last word of the path that is no id."""
        words = [word for word in self.path.split("/") if word and not word.isdigit()]
        return ROWS.get(words[-1], words[-1])


def recordings() -> Iterator[Recorded]:
    for file in sorted(RECORDED.rglob("*.json")):
        for interaction in json.loads(file.read_text())["interactions"]:
            request, response = interaction["request"], interaction["response"]
            found = re.search(r"/v1/(?P<practice>\d+)(?P<rest>/.*)", request["uri"])
            if found is None or not in_scope(request["method"], found["rest"]):
                continue
            parts = urlsplit(found["rest"])
            yield Recorded(
                name=file.stem,
                year=int(interaction["recorded_at"].split()[3]),
                method=request["method"],
                path=parts.path if found["practice"] not in {"123", "123456"} else f"OTHER{parts.path}",
                params=dict(parse_qsl(parts.query)),
                status=response["status"],
                body=response.get("json"),
            )


def in_scope(method: str, rest: str) -> bool:
    if method == "GET":
        return not OUT_OF_SCOPE.search(rest)
    return method == "POST" and rest.endswith("/subscription")


RECORDINGS = list(recordings()) if RECORDED.is_dir() else []


def replay(athena: Athena, recorded: Recorded) -> Any:
    """The same request about the hand-made world, in the state and the JSON dialect of the recording."""
    practice = world.OTHER_PRACTICE if recorded.path.startswith("OTHER") else world.PRACTICE
    path = recorded.path.removeprefix("OTHER")
    for pattern, ours in IDS:
        path = re.sub(pattern, ours, path)
    params = {name: PARAMETERS.get(name, value) for name, value in recorded.params.items()}
    if path.startswith("/chart/"):
        params["departmentid"] = "1"
    if isinstance(recorded.body, dict) and "next" in recorded.body:
        params["limit"] = "1"
    strict = "POST" if recorded.year > 2016 else "DELETE"
    athena.http.request(strict, f"/v1/{practice}/misc/properjsonencoding").raise_for_status()
    feed = re.match(r"/\w+/changed", path)
    if feed and practice == world.PRACTICE:
        subscribed = "DELETE" if recorded.status == 403 else "POST"
        athena.http.request(subscribed, f"/v1/{practice}{feed[0]}/subscription").raise_for_status()
    return athena.http.request(recorded.method, f"/v1/{practice}{path}", params=params)


def row_paths(resource: str, payload: object) -> dict[str, set[str]]:
    """A shape by paths below a row, whether it came alone, in an array of one, or in an envelope."""
    prefix = re.compile(rf"^({resource})?\[\]\.?")
    return {prefix.sub("", path): types for path, types in shape_of(payload).items()}


def seen_anywhere(resource: str) -> set[str]:
    """All paths of a resource's rows in any recording and in the edited real fixtures."""
    payloads = [item.body for item in RECORDINGS if item.resource == resource]
    for file in EDITED.glob("List*.json"):
        payload = json.loads(file.read_text())
        if resource in payload:
            payloads.append(payload)
    return {path for payload in payloads for path in row_paths(resource, payload)}


@dataclass(frozen=True)
class Replayed:
    status: int
    differences: dict[str, str]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Replayed]:
    """What the sandbox made of each recording, by its place in RECORDINGS."""
    path = tmp_path_factory.mktemp("recorded") / "sandbox.sqlite"
    world.populate(path)
    world.populate_like_the_recordings(path)
    at_once = msgspec.structs.replace(FAST, activation_lag=timedelta())
    with serving(path, Time(), at_once) as athena:
        return {place: compare(athena, recorded) for place, recorded in enumerate(RECORDINGS)}


def compare(athena: Athena, recorded: Recorded) -> Replayed:
    answer, resource = replay(athena, recorded), recorded.resource
    found = differences(row_paths(resource, recorded.body), row_paths(resource, answer.json()))
    seen = seen_anywhere(resource)
    real = {path: what for path, what in found.items() if not (what == "extra" and path in seen)}
    return Replayed(answer.status_code, real)


@pytest.mark.parametrize(
    "place", range(len(RECORDINGS)), ids=[f"{item.year}-{item.name}-{item.path}" for item in RECORDINGS]
)
def test_the_sandbox_answers_as_recorded(replayed: dict[int, Replayed], place: int) -> None:
    recorded, ours = RECORDINGS[place], replayed[place]
    accepted = ACCEPTED.get(recorded.resource, {})
    assert ours.status == recorded.status
    assert {path: what for path, what in ours.differences.items() if path not in accepted} == {}


def test_no_accepted_difference_is_out_of_date(replayed: dict[int, Replayed]) -> None:
    met = {
        (RECORDINGS[place].resource, path) for place, ours in replayed.items() for path in ours.differences
    }
    assert {(resource, path) for resource, paths in ACCEPTED.items() for path in paths} == met


def test_every_recording_in_scope_is_replayed() -> None:
    assert len(RECORDINGS) >= 30
