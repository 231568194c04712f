"""Changed feeds: late activation, destructive reads, and the ways to get rows back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from integrations.sandbox.world import Thing
from tests.sandbox.server import world
from tests.sandbox.server.conftest import Athena

FEED = "/appointments/changed"


def subscribe(athena: Athena, feed: str = "appointments", **params: str) -> None:
    url = f"/v1/{world.PRACTICE}/{feed}/changed/subscription"
    assert athena.http.post(url, data=params).json() == {"success": True}


def change(athena: Athena, *things: Thing, kind: str = "appointment", event: str = "CheckIn") -> None:
    with athena.store() as store, store.transaction():
        store.put(world.PRACTICE, kind, things, event=event)


def changed_appointment(athena: Athena, id: str = "500", **over: object) -> Thing:
    return world.appointment(id, modified=athena.time.now, **over)


@pytest.fixture
def subscribed(athena: Athena) -> Athena:
    subscribe(athena)
    athena.time.now += world.LAG
    return athena


def ids(answer: httpx.Response) -> list[str]:
    return [row["appointmentid"] for row in answer.json()["appointments"]]


def test_a_feed_refuses_until_its_subscription_takes_effect(athena: Athena) -> None:
    assert athena.get(FEED).status_code == 403
    subscribe(athena)
    athena.time.now += world.LAG - timedelta(seconds=1)
    refused = athena.get(FEED)
    assert refused.status_code == 403
    assert refused.text.startswith("\n")
    assert athena.get(f"{FEED}/subscription").json() == {"status": "INACTIVE", "subscriptions": []}
    athena.time.now += timedelta(seconds=1)
    assert athena.get(FEED).json() == {"appointments": [], "totalcount": 0}
    assert athena.get(f"{FEED}/subscription").json()["status"] == "ACTIVE"


def test_subscribing_again_does_not_start_the_lag_again(subscribed: Athena) -> None:
    subscribe(subscribed)
    assert subscribed.get(FEED).status_code == 200


def test_a_feed_is_not_retroactive(athena: Athena) -> None:
    subscribe(athena)
    change(athena, changed_appointment(athena))
    athena.time.now += world.LAG
    assert ids(athena.get(FEED)) == []


def test_rows_disappear_as_they_are_read(subscribed: Athena) -> None:
    change(subscribed, *(changed_appointment(subscribed, str(501 + n)) for n in range(3)))
    first = subscribed.get(FEED, limit=2)
    assert (ids(first), first.json()["totalcount"]) == (["501", "502"], 3)
    assert ids(subscribed.get(FEED)) == ["503"]
    assert ids(subscribed.get(FEED)) == []


def test_several_changes_of_one_thing_are_one_row_of_its_present_state(subscribed: Athena) -> None:
    change(subscribed, changed_appointment(subscribed, status="2"))
    change(subscribed, changed_appointment(subscribed, status="3"), event="CheckOut")
    body = subscribed.get(FEED).json()
    assert body["totalcount"] == 1
    assert body["appointments"][0]["appointmentstatus"] == "3"
    assert ids(subscribed.get(FEED)) == []


def test_leaveunprocessed_reads_without_taking(subscribed: Athena) -> None:
    change(subscribed, changed_appointment(subscribed))
    assert ids(subscribed.get(FEED, leaveunprocessed="true")) == ["500"]
    assert ids(subscribed.get(FEED)) == ["500"]


def test_a_lost_response_can_be_read_again_by_its_eastern_time(subscribed: Athena) -> None:
    change(subscribed, changed_appointment(subscribed))
    subscribed.get(FEED)
    window = {
        "showprocessedstartdatetime": "03/10/2026 11:35:00",  # 15:35 UTC
        "showprocessedenddatetime": "03/10/2026 11:35:00",
    }
    assert ids(subscribed.get(FEED, **window)) == ["500"]
    assert ids(subscribed.get(FEED, **window)) == ["500"]
    in_utc = {name: value.replace("11:35", "15:35") for name, value in window.items()}
    assert ids(subscribed.get(FEED, **in_utc)) == []


def test_rows_filtered_out_stay_unread(subscribed: Athena) -> None:
    change(
        subscribed, changed_appointment(subscribed), changed_appointment(subscribed, "501", department_id="2")
    )
    assert ids(subscribed.get(FEED, departmentid="2")) == ["501"]
    assert ids(subscribed.get(FEED)) == ["500"]


def test_each_key_has_its_own_subscription_and_marks(subscribed: Athena) -> None:
    athena = subscribed
    athena.http.post("/_sandbox/clients", json={"client_id": "b", "client_secret": "b"}).raise_for_status()
    other = {"authorization": f"Bearer {athena.token(('b', 'b'))}"}
    url = f"/v1/{world.PRACTICE}{FEED}"
    assert athena.http.get(url, headers=other).status_code == 403
    athena.http.post(f"{url}/subscription", headers=other)
    athena.time.now += world.LAG
    change(athena, changed_appointment(athena))
    assert ids(athena.get(FEED)) == ["500"]
    assert ids(athena.http.get(url, headers=other)) == ["500"]


def test_one_event_at_a_time_is_a_partial_subscription(athena: Athena) -> None:
    subscribe(athena, eventname="CheckOut")
    athena.time.now += world.LAG
    shown = athena.get(f"{FEED}/subscription").json()
    assert shown == {"status": "PARTIAL", "subscriptions": [{"eventname": "CheckOut"}]}
    change(athena, changed_appointment(athena), event="CheckIn")
    change(athena, changed_appointment(athena, "501"), event="CheckOut")
    assert ids(athena.get(FEED)) == ["501"]


def test_unsubscribing_closes_the_feed(subscribed: Athena) -> None:
    subscribed.http.delete(f"/v1/{world.PRACTICE}{FEED}/subscription").raise_for_status()
    assert subscribed.get(FEED).status_code == 403


@pytest.mark.parametrize(
    ("kind", "thing", "event", "key"),
    [
        ("patient", world.patient, "UpdatePatient", "patientid"),
        ("claim", world.claim, "UpdateClaim", "claimid"),
        ("provider", world.provider, "ProviderUpdate", "providerid"),
    ],
)
def test_every_feed_gives_the_full_object(
    athena: Athena, kind: str, thing: object, event: str, key: str
) -> None:
    subscribe(athena, f"{kind}s")
    athena.time.now += world.LAG
    change(athena, thing(modified=athena.time.now), kind=kind, event=event)  # type: ignore[operator]
    [row] = athena.get(f"/{kind}s/changed").json()[f"{kind}s"]
    alone = athena.get(f"/{kind}s/{row[key]}").json()
    assert row == (alone[0] if isinstance(alone, list) else alone)
    assert athena.get(f"/{kind}s/changed").json()["totalcount"] == 0


def test_concurrent_readers_share_the_rows_without_loss_or_repetition(subscribed: Athena) -> None:
    expected = {str(501 + n) for n in range(60)}
    change(subscribed, *(changed_appointment(subscribed, id) for id in sorted(expected)))
    barrier = threading.Barrier(4)

    def drain(_: int) -> list[str]:
        barrier.wait(timeout=10)
        seen: list[str] = []
        for _ in range(61):
            rows = ids(subscribed.get(FEED, limit=3))
            if not rows:
                break
            seen += rows
        return seen

    with ThreadPoolExecutor(4) as pool:
        seen = [id for reader in pool.map(drain, range(4)) for id in reader]
    assert len(seen) == len(expected)
    assert set(seen) == expected
