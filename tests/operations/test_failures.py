"""Failures on screen: groups, one failure, what is masked, and a replay from its button."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from django.test import Client

from athena_dash.accounts.models import PhiAccess
from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.recovery import batch
from athena_dash.recovery.models import Replay
from athena_dash.sync import raw
from athena_dash.sync.models import Failure
from athena_dash.sync.payloads import Payload, digest
from tests.builders import a_gap, a_user, a_visit
from tests.recovery.failing import Retries, a_failure

BODY = b'{"patientid": "105", "patientfirstname": "Ottilie", "claimcreateddate": "soon", "note": "\\ud800\\u0000"}'


def a_stored_failure(practice: Practice, body: bytes = BODY) -> Failure:
    payload = Payload("2101", "", body, digest(body))
    (pk,) = raw.keep([payload], practice_id=practice.pk, resource="claims", fetched_at=clock.now())
    return a_failure(practice, subject_id=str(pk), record_id="2101", patient_id="105")


def read(client: Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_failing_says_so_with_the_last_sync(as_sam: Client) -> None:
    page = read(as_sam, "/failures")
    assert "Nothing is failing" in page
    assert "Last sync <time" in page


def test_a_filter_that_matches_nothing_offers_one_way_out(as_sam: Client, practice: Practice) -> None:
    a_failure(practice)
    page = read(as_sam, "/failures?reason=unmapped")
    assert "No failure matches" in page
    assert "Nothing is failing" not in page


def test_a_group_leads_to_its_members_and_keeps_the_practice_filter(
    as_sam: Client, practice: Practice
) -> None:
    failure = a_failure(practice)
    assert f"/failures/groups/{failure.fingerprint}?practice=riverside" in read(
        as_sam, "/failures?practice=riverside"
    )
    assert f"/failures/{failure.pk}" in read(as_sam, f"/failures/groups/{failure.fingerprint}")


def test_htmx_gets_the_groups_alone_and_a_reload_the_page(as_sam: Client, practice: Practice) -> None:
    a_failure(practice)
    part = as_sam.get("/failures", headers={"HX-Request": "true", "HX-Target": "groups"})
    assert part.content.lstrip().startswith(b'<div id="groups">')
    assert "HX-Request" in part.headers["Vary"]
    assert b"<html" in as_sam.get("/failures").content


def test_the_groups_cost_the_same_queries_however_many(
    as_sam: Client, practice: Practice, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        a_failure(practice, fingerprint=f"v1:{number}")
    with django_assert_max_num_queries(17):  # type: ignore[operator]
        read(as_sam, "/failures")


def test_a_payload_is_masked_until_it_is_revealed_and_the_look_is_recorded(
    as_sam: Client, practice: Practice
) -> None:
    failure = a_stored_failure(practice)
    page = read(as_sam, f"/failures/{failure.pk}")
    assert "Ottilie" not in page
    assert "105" in page
    assert not PhiAccess.objects.exists()
    revealed = as_sam.post(f"/failures/{failure.pk}/reveal")
    assert "Ottilie" in revealed.content.decode()
    seen = PhiAccess.objects.get()
    assert (seen.action, seen.subject) == ("view raw payload", f"failure {failure.pk}")


def test_an_admin_sees_the_failure_but_no_payload_and_no_button(as_ada: Client, practice: Practice) -> None:
    failure = a_stored_failure(practice)
    page = read(as_ada, f"/failures/{failure.pk}")
    assert "Raw payload" not in page
    assert "/replay" not in page.replace('href="/replays"', "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><p>502",
        b"\x00\xff\xfe",
        b'{"a": ' * 2000,
        b'"' + b"x" * 2_000_000 + b'"',
        b"null",
        b"[[[]]]",
    ],
)
def test_any_bytes_a_network_can_send_make_a_page(as_sam: Client, practice: Practice, body: bytes) -> None:
    failure = a_stored_failure(practice, body)
    read(as_sam, f"/failures/{failure.pk}")
    assert as_sam.post(f"/failures/{failure.pk}/reveal").status_code == 200


def test_a_replay_from_the_button_is_found_again_by_a_double_click(
    as_sam: Client, practice: Practice, retries: Retries
) -> None:
    failure, key = a_failure(practice), str(uuid4())
    for _ in range(2):
        answer = as_sam.post(f"/failures/{failure.pk}/replay", {"verb": "refetch", "key": key})
        assert answer.headers["Location"] == f"/failures/{failure.pk}"
    replay = Replay.objects.get()
    assert "Re-fetch is running" in read(as_sam, f"/failures/{failure.pk}")
    batch.run(replay.pk)
    page = read(as_sam, f"/failures/{failure.pk}")
    assert "A replay came through" in page
    assert "1 gap worth $120.00" in page


def test_a_failure_names_the_gap_it_holds_open(as_sam: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit, sentence="Signed 5 days ago, no charge entered")
    failure = a_failure(practice, appointment_id=visit.anchor_id)
    page = read(as_sam, f"/failures/{failure.pk}")
    assert f'href="/visits/{visit.pk}"' in page
    assert "Signed 5 days ago, no charge entered" in page


def test_muting_hides_a_group_and_unmuting_brings_it_back(as_sam: Client, practice: Practice) -> None:
    failure = a_failure(practice)
    as_sam.post(f"/failures/groups/{failure.fingerprint}/mute", {"days": "7"})
    assert "Nothing is failing" in read(as_sam, "/failures")
    as_sam.post(f"/failures/groups/{failure.fingerprint}/mute", {"days": "0"})
    assert failure.message in read(as_sam, "/failures")


def test_acknowledging_names_who_did(as_sam: Client, practice: Practice) -> None:
    failure = a_failure(practice)
    as_sam.post(f"/failures/groups/{failure.fingerprint}/acknowledge")
    page = read(as_sam, "/failures")
    assert "Acknowledged" in page
    assert "by sam" in page


def test_a_plan_starts_exactly_what_it_showed(as_sam: Client, practice: Practice, retries: Retries) -> None:
    shown = a_failure(practice)
    page = as_sam.get(f"/replays/plan?fingerprint={shown.fingerprint}")
    a_failure(practice)
    form = {"plan": page.context["plan"].token(), "key": str(page.context["key"])}
    first = as_sam.post("/replays/start", form)
    again = as_sam.post("/replays/start", form)
    assert first.headers["Location"] == again.headers["Location"]
    [item] = Replay.objects.get().items.all()
    assert item.failure_id == shown.pk
    assert "1 more of this group came since you planned" not in read(as_sam, first.headers["Location"])


def test_failures_after_the_plan_are_said_and_not_run(
    as_sam: Client, practice: Practice, as_of: dt.datetime
) -> None:
    shown = a_failure(practice)
    page = as_sam.get(f"/replays/plan?fingerprint={shown.fingerprint}")
    form = {"plan": page.context["plan"].token(), "key": str(page.context["key"])}
    started = as_sam.post("/replays/start", form).headers["Location"]
    a_failure(practice, first_seen=as_of + dt.timedelta(minutes=1))
    assert "1 more of this group came since you planned" in read(as_sam, started)


def test_an_altered_plan_starts_nothing(as_sam: Client, practice: Practice) -> None:
    a_failure(practice)
    answer = as_sam.post("/replays/start", {"plan": "made:up", "key": str(uuid4())}, follow=True)
    assert "no longer valid" in answer.content.decode()
    assert not Replay.objects.exists()


def test_a_colleague_without_the_right_to_replay_cannot_start_a_plan_that_was_passed_on(
    client: Client, as_sam: Client, practice: Practice
) -> None:
    failure = a_failure(practice)
    plan = as_sam.get(f"/replays/plan?fingerprint={failure.fingerprint}").context["plan"].token()
    client.force_login(a_user(practice, role="admin"))
    assert client.post("/replays/start", {"plan": plan, "key": str(uuid4())}).status_code == 403
    assert not Replay.objects.exists()
