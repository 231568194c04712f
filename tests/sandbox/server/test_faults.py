"""Each kind of fault as a client meets it, and the switchboard: aim, dose, count, durability."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from integrations.sandbox.server import create_app
from integrations.sandbox.server.fault_kinds import KINDS
from tests.sandbox.server import world
from tests.sandbox.server.conftest import FAST, Athena, running
from tests.sandbox.server.test_changed import FEED, change, changed_appointment, ids, subscribe
from tests.sandbox.server.test_oauth import ask

CLAIMS = {"createdstartdate": "03/01/2026", "createdenddate": "03/31/2026"}


def switch_on(athena: Athena, kind: str, **more: object) -> None:
    athena.fault(name=kind, kind=kind, **more)


def fired(athena: Athena) -> int:
    [fault] = athena.http.get("/_sandbox/faults").json()["faults"]
    return int(fault.get("fired", 0))


def test_a_burst_of_429_ends_after_its_times(athena: Athena) -> None:
    switch_on(athena, "rate_limited", times=2, params={"retry_after": 3})
    answers = [athena.get("/ping") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "3"
    assert fired(athena) == 2


def test_a_server_error_is_html_or_empty(athena: Athena) -> None:
    switch_on(athena, "server_error", params={"status": 503})
    bodies = {athena.get("/ping").text[:6] for _ in range(20)}
    assert athena.get("/ping").status_code == 503
    assert bodies == {"", "<html>"}


def test_html_comes_with_a_200(athena: Athena) -> None:
    switch_on(athena, "html")
    answer = athena.get("/ping")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=UTF-8")


@pytest.fixture
def subscribed(athena: Athena) -> Athena:
    subscribe(athena)
    athena.time.now += timedelta(minutes=5)
    change(athena, changed_appointment(athena))
    return athena


def test_a_timeout_before_the_effect_loses_nothing(subscribed: Athena) -> None:
    switch_on(subscribed, "timeout_before", times=1, params={"seconds": 0.05})
    with pytest.raises(httpx.RemoteProtocolError):
        subscribed.get(FEED)
    assert ids(subscribed.get(FEED)) == ["500"]


def test_a_timeout_after_the_effect_loses_the_rows(subscribed: Athena) -> None:
    switch_on(subscribed, "timeout_after", times=1, params={"seconds": 0.05})
    with pytest.raises(httpx.RemoteProtocolError):
        subscribed.get(FEED)
    assert ids(subscribed.get(FEED)) == []


def test_a_client_that_gives_up_first_sees_its_own_timeout(athena: Athena) -> None:
    switch_on(athena, "timeout_before", params={"seconds": 30})
    with pytest.raises(httpx.ReadTimeout):
        athena.http.get(f"/v1/{world.PRACTICE}/ping", timeout=0.1)


def test_a_dropped_connection_ends_in_the_middle_of_the_body(subscribed: Athena) -> None:
    switch_on(subscribed, "dropped", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete|without sending complete"):
        subscribed.get(FEED)
    assert ids(subscribed.get(FEED)) == []


@pytest.mark.parametrize("kind", ["malformed", "truncated"])
def test_a_whole_response_can_hold_half_a_json(athena: Athena, kind: str) -> None:
    switch_on(athena, kind)
    answer = athena.get("/claims/301")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(
    ("how", "seen"), [("null", None), ("nul", "a\x00b"), ("surrogate", "a\ud800b"), ("text", "not a number")]
)
def test_a_named_record_can_be_corrupt_while_its_neighbours_are_not(
    athena: Athena, how: str, seen: object
) -> None:
    with athena.store() as store, store.transaction():
        store.put(world.PRACTICE, "claim", [world.claim("302")])
    params = {"field": "patientid", "as": how}
    switch_on(athena, "corrupt_record", match={"record": "302", "path": "/claims"}, params=params)
    for _ in range(2):  # the same record is bad however often it is read
        rows = {row["claimid"]: row for row in athena.get("/claims", **CLAIMS).json()["claims"]}
        assert rows["302"]["patientid"] == seen
        assert rows["301"]["patientid"] == 7
    athena.http.delete("/_sandbox/faults").raise_for_status()
    assert athena.get("/claims/302").json()["patientid"] == 7


def test_a_record_can_lose_all_but_its_id(athena: Athena) -> None:
    switch_on(athena, "truncated_record", params={"keep": ["status"]})
    assert athena.get("/patients/7").json() == [{"patientid": "7", "status": "active"}]


def test_an_unknown_code_appears_where_the_codes_of_that_record_are(athena: Athena) -> None:
    switch_on(athena, "unknown_code")
    assert athena.get("/claims/301").json()["primaryinsurancepayer"]["status"] == "ZHOLD"
    assert athena.get("/appointments/500").json()[0]["appointmentstatus"] == "ZHOLD"
    encounter = athena.http.get(f"/fhir/r4/Encounter/a-{world.PRACTICE}.encounter-900").json()
    assert encounter["status"] == "ZHOLD"


@pytest.mark.parametrize(("kind", "seen"), [("duplicated_rows", "122345"), ("missing_rows", "1245")])
def test_pages_overlap_or_leave_a_hole(athena: Athena, kind: str, seen: str) -> None:
    with athena.store() as store, store.transaction():
        store.db.execute("delete from thing where kind='provider'")
        store.put(world.PRACTICE, "provider", [world.provider(id) for id in "12345"])
    switch_on(athena, kind, times=1)
    page = athena.get("/providers", limit=2).json()
    rows = page["providers"]
    for _ in range(2):
        page = athena.http.get(page["next"]).json()
        rows += page["providers"]
    assert "next" not in page
    assert "".join(str(row["providerid"]) for row in rows) == seen
    assert fired(athena) == 1  # the first page cannot overlap with anything


def test_a_stalled_feed_says_nothing_changed_and_takes_nothing(subscribed: Athena) -> None:
    switch_on(subscribed, "stalled_feed", match={"path": "/appointments/changed"})
    assert subscribed.get(FEED).json() == {"appointments": [], "totalcount": 0}
    subscribed.http.delete("/_sandbox/faults", params={"name": "stalled_feed"})
    assert ids(subscribed.get(FEED)) == ["500"]


def test_an_expired_token_is_refused_although_the_next_call_may_succeed(athena: Athena) -> None:
    switch_on(athena, "expired_token", times=1)
    assert [athena.get("/ping").status_code for _ in range(2)] == [401, 200]


def test_a_revoked_credential_gets_neither_answers_nor_tokens_while_it_is_on(athena: Athena) -> None:
    switch_on(athena, "revoked_credential")
    assert athena.get("/ping").status_code == 401
    assert ask(athena).json()["error"] == "access_denied"
    athena.http.delete("/_sandbox/faults").raise_for_status()
    assert athena.get("/ping").status_code == 200


def test_token_calls_are_spared_unless_a_path_names_them(athena: Athena) -> None:
    switch_on(athena, "html")
    assert ask(athena).json()["token_type"] == "Bearer"
    switch_on(athena, "html", match={"path": "oauth2"})
    assert ask(athena).text.startswith("<html>")
    assert athena.get("/ping").json() == {"pong": "true"}


def test_a_practices_own_credential_can_be_revoked_alone(athena: Athena) -> None:
    own = {"client_id": "own", "client_secret": "pass", "practices": [world.OTHER_PRACTICE]}
    athena.http.post("/_sandbox/clients", json=own).raise_for_status()
    switch_on(athena, "revoked_credential", match={"practice": world.OTHER_PRACTICE})
    assert ask(athena, auth=("own", "pass")).status_code == 401
    assert ask(athena).status_code == 200


class TestSwitchboard:
    def test_a_fault_hits_only_what_it_is_aimed_at(self, athena: Athena) -> None:
        switch_on(athena, "html", match={"practice": world.OTHER_PRACTICE, "path": "/departments$"})
        assert athena.get("/departments").json()["totalcount"] == 2
        other = athena.http.get(f"/v1/{world.OTHER_PRACTICE}/departments")
        assert other.text.startswith("<html>")
        assert athena.http.get(f"/v1/{world.OTHER_PRACTICE}/providers").json()["totalcount"] == 0

    def test_a_fault_ends_at_its_time(self, athena: Athena) -> None:
        until = athena.time.now + timedelta(minutes=1)
        switch_on(athena, "html", until=until.isoformat())
        assert athena.get("/ping").text.startswith("<html>")
        athena.time.now = until
        assert athena.get("/ping").json() == {"pong": "true"}

    def test_draws_are_the_same_for_the_same_seed_and_requests(self, athena: Athena) -> None:
        def draw() -> list[int]:
            switch_on(athena, "server_error", probability=0.5, params={"status": 500})
            with running(create_app(athena.path, preset=FAST, clock=lambda: athena.time.now, seed=4)) as url:
                urls = [f"{url}/v1/{world.PRACTICE}/claims/{n % 7}" for n in range(30)]
                return [httpx.get(url, headers=athena.http.headers).status_code for url in urls]

        first = draw()
        assert first == draw()
        assert 5 < first.count(500) < 25

    def test_a_share_of_records_stays_bad_until_the_fault_is_lifted(self, athena: Athena) -> None:
        with athena.store() as store, store.transaction():
            store.put(world.PRACTICE, "claim", [world.claim(str(302 + n)) for n in range(60)])
        switch_on(athena, "corrupt_record", probability=0.2)

        def bad() -> int:
            rows = athena.get("/claims", **CLAIMS).json()["claims"]
            return sum(row["claimid"] is None for row in rows)

        first = bad()
        assert 3 < first < 25
        assert bad() == first

    def test_faults_and_their_counts_outlive_the_process(self, athena: Athena) -> None:
        switch_on(athena, "html", times=2)
        athena.get("/ping")
        with running(create_app(athena.path, preset=FAST, clock=lambda: athena.time.now)) as url:
            ping = f"{url}/v1/{world.PRACTICE}/ping"
            bodies = [httpx.get(ping, headers=athena.http.headers).text[:5] for _ in range(2)]
        assert bodies == ["<html", '{"pon']

    @pytest.mark.parametrize(
        ("fault", "named"),
        [
            ({"name": "x", "kind": "earthquake"}, "unknown kind"),
            ({"name": "x", "kind": "html", "match": {"path": "("}}, "regular expression"),
            ({"name": "x", "kind": "html", "probability": 2}, "probability"),
            ({"name": "x", "kind": "html", "until": "2026-01-01T00:00:00"}, "time zone"),
            ({"kind": "html"}, "name"),
            ({"name": "x", "kind": "corrupt_record", "params": {"as": "purple"}}, "purple"),
        ],
    )
    def test_a_fault_that_makes_no_sense_is_refused(
        self, athena: Athena, fault: dict[str, object], named: str
    ) -> None:
        answer = athena.http.post("/_sandbox/faults", json=fault)
        assert answer.status_code == 400
        assert named in answer.json()["error"]

    def test_every_kind_is_listed(self, athena: Athena) -> None:
        assert set(athena.http.get("/_sandbox/faults").json()["kinds"]) == KINDS
