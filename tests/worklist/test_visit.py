"""One visit: what it shows, what it hides until asked, and what the desk may do to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from athena_dash.accounts.models import PhiAccess, User
from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync.models import Failure
from athena_dash.worklist.models import Note, WorkItem
from tests.builders import DAY, a_claim, a_feed, a_gap, a_patient, a_practice, a_user, a_visit


def text(client: Client, pk: int) -> str:
    return client.get(reverse("visit", args=[pk])).content.decode()


def test_a_visit_tells_its_story_across_both_systems(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice, track="DDDDDDDM")
    a_claim(visit, primary_status="HOLD")
    a_gap(visit, "G24", sentence="Claim on HOLD since Mar 9, 2026")
    events = [event.text for event in desk.get(reverse("visit", args=[visit.pk])).context["timeline"]]
    assert events.index("Checked in") < events.index("Checked out") < events.index("Note signed")
    assert "Primary HOLD: held for the practice to fix" in events
    page = text(desk, visit.pk)
    assert "known since backfill, may be older" in page
    assert "Claim on HOLD since Mar 9, 2026" in page
    assert "next to act: biller" in page


def test_each_node_of_the_track_shows_its_record_and_how_it_was_linked(
    desk: Client, practice: Practice
) -> None:
    visit = a_visit(practice)
    claim = a_claim(visit)
    steps = desk.get(reverse("visit", args=[visit.pk])).context["steps"]
    claimed = steps[5]
    assert claimed.node.name == "Claimed"
    assert claimed.proofs[0].record == f"claim {claim.external_id}"
    assert claimed.proofs[0].method == "names the same appointment or encounter"
    assert steps[7].proofs == ()  # no payment: nothing shows that it was paid


def test_times_are_told_in_the_practices_zone(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    checked_in = next(
        e for e in desk.get(reverse("visit", args=[visit.pk])).context["timeline"] if e.text == "Checked in"
    )
    assert checked_in.clock in ("09:00 EST", "10:00 EDT")


def test_a_stale_feed_turns_the_verdict_and_says_what_was_stored(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=2))
    page = text(desk, visit.pk)
    assert "Suspect sync" in page
    assert "Stored verdict: not billed" in page
    assert "not heard from athena" in page


def test_a_suppressed_visit_says_why_it_is_not_on_the_worklist(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice, suppressor="charge entry not required: multi-resource")
    page = text(desk, visit.pk)
    assert "Why is this not on the worklist?" in page
    assert "charge entry not required: multi-resource" in page


def test_a_closed_gap_stays_in_the_history(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit, closed_at=clock.now(), closed_by="data")
    assert ">0 s ago</time>: no charge entered" in text(desk, visit.pk)


def test_a_visit_with_nothing_but_an_anchor_still_opens(desk: Client, practice: Practice) -> None:
    from athena_dash.correlation.models import Visit

    bare = Visit.objects.create(practice=practice, anchor="encounter", anchor_id="9")
    assert "Nothing is missing" in text(desk, bare.pk)


def test_a_foreign_visit_does_not_exist(desk: Client, practice: Practice) -> None:
    foreign = a_visit(a_practice("elsewhere"))
    for name in ("visit", "visit-reveal", "visit-assign", "visit-snooze", "visit-wake", "visit-note"):
        url = reverse(name, args=[foreign.pk])
        answer = desk.get(url) if name == "visit" else desk.post(url, {"text": "x"})
        assert answer.status_code == 404, name
    assert not Note.objects.exists()


def test_support_sees_a_visit_but_neither_its_name_nor_its_buttons(
    practice: Practice, client: Client
) -> None:
    visit = a_visit(practice, patient=a_patient(practice, first_name="Ottilie"))
    client.force_login(a_user(practice, role="support"))
    page = text(client, visit.pk)
    assert "Show name" not in page
    assert "Add note" not in page
    for name in ("visit-reveal", "visit-assign", "visit-snooze", "visit-wake", "visit-note"):
        assert client.post(reverse(name, args=[visit.pk])).status_code == 403, name


def test_an_admin_has_no_business_with_visits(practice: Practice, client: Client) -> None:
    client.force_login(a_user(practice, role="admin"))
    assert client.get(reverse("visits")).status_code == 403
    assert client.get(reverse("visit", args=[a_visit(practice).pk])).status_code == 403


def test_a_name_is_shown_on_request_audited_and_for_a_quarter_hour(
    desk: Client, practice: Practice, biller: User, as_of: dt.datetime
) -> None:
    visit = a_visit(practice, patient=a_patient(practice, first_name="Ottilie"))
    assert "Ottilie" not in text(desk, visit.pk)
    answer = desk.post(reverse("visit-reveal", args=[visit.pk]))
    assert answer["Location"] == reverse("visit", args=[visit.pk])
    assert "Ottilie" in text(desk, visit.pk)
    with clock.frozen(as_of + dt.timedelta(minutes=16)):
        assert "Ottilie" not in text(desk, visit.pk)
    looked = PhiAccess.objects.get()
    assert (looked.user, looked.action, looked.subject) == (biller, "reveal patient", f"visit {visit.pk}")


def test_the_title_of_a_revealed_visit_still_names_nobody(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice, patient=a_patient(practice, first_name="Ottilie"))
    desk.post(reverse("visit-reveal", args=[visit.pk]))
    head = text(desk, visit.pk).split("<body", 1)[0]
    assert "Ottilie" not in head


def test_a_visit_is_assigned_to_a_member_of_its_practice_only(
    desk: Client, practice: Practice, biller: User
) -> None:
    visit, stranger = a_visit(practice), a_user(a_practice("elsewhere"))
    url = reverse("visit-assign", args=[visit.pk])
    assert desk.post(url, {"assignee": stranger.pk}).status_code == 422
    assert desk.post(url, {"assignee": biller.pk}).status_code == 302
    assert WorkItem.objects.get(visit=visit).assignee == biller
    desk.post(url, {"assignee": ""})
    assert WorkItem.objects.get(visit=visit).assignee is None


def test_a_snooze_needs_a_reason_and_a_day_that_is_not_too_far(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    url = reverse("visit-snooze", args=[visit.pk])
    today = clock.now().date()
    for until, reason in ((today, "x"), (today + 91 * DAY, "x"), (today + DAY, ""), ("soon", "x")):
        assert desk.post(url, {"until": until, "reason": reason}).status_code == 422
    assert desk.post(url, {"until": today + 3 * DAY, "reason": "Waiting for the coder"}).status_code == 302
    asleep = WorkItem.objects.get(visit=visit)
    # Midnight of that day in New York, not in UTC.
    assert asleep.snoozed_until == dt.datetime(2026, 3, 14, 4, tzinfo=dt.UTC)
    assert "Waiting for the coder" in text(desk, visit.pk)
    desk.post(reverse("visit-wake", args=[visit.pk]))
    assert WorkItem.objects.get(visit=visit).snoozed_until is None


def test_a_note_is_kept_with_its_author_and_never_as_markup(
    desk: Client, practice: Practice, biller: User
) -> None:
    visit = a_visit(practice)
    desk.post(reverse("visit-note", args=[visit.pk]), {"text": "<b>Called</b> the payer"})
    note = Note.objects.get()
    assert (note.author, note.practice) == (biller, practice)
    assert "&lt;b&gt;Called&lt;/b&gt; the payer" in text(desk, visit.pk)
    assert desk.post(reverse("visit-note", args=[visit.pk]), {"text": " "}).status_code == 422


def test_htmx_gets_the_changed_visit_its_row_and_a_toast(
    htmx: Client, practice: Practice, biller: User
) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    headers = {"HX-Target": "visit"}
    answer = htmx.post(reverse("visit-assign", args=[visit.pk]), {"assignee": biller.pk}, headers=headers)
    body = answer.content.decode()
    assert "<!doctype" not in body
    assert f'id="row-{visit.pk}" hx-swap-oob="true"' in body
    assert "Assigned to bella." in answer["HX-Trigger"]
    answer = htmx.post(
        reverse("visit-snooze", args=[visit.pk]),
        {"until": clock.now().date() + DAY, "reason": "later"},
        headers=headers,
    )
    assert f'id="row-{visit.pk}" hx-swap-oob="delete"' in answer.content.decode()


def test_several_visits_are_assigned_at_once_but_no_foreign_one(
    desk: Client, practice: Practice, biller: User
) -> None:
    ours, foreign = a_visit(practice), a_visit(a_practice("elsewhere"))
    form = {"visit": [ours.pk, foreign.pk, "x"], "to": "me", "back": "?code=G13"}
    answer = desk.post(reverse("visits-assign"), form)
    assert answer["Location"] == reverse("visits") + "?code=G13"
    assert [work.visit_id for work in WorkItem.objects.filter(assignee=biller)] == [ours.pk]
    desk.post(reverse("visits-assign"), form | {"to": "nobody"})
    assert not WorkItem.objects.filter(assignee=biller).exists()


def test_the_way_back_cannot_lead_off_the_site(desk: Client, practice: Practice) -> None:
    for back in ("//evil.example", "https://evil.example", "@evil.example", "\r\nX: y"):
        answer = desk.post(reverse("visits-assign"), {"back": back})
        assert answer["Location"].startswith("/visits"), back


def test_a_failure_on_a_record_of_the_visit_is_linked_for_those_who_may_see_it(
    desk: Client, practice: Practice, client: Client
) -> None:
    visit = a_visit(practice)
    failure = Failure.objects.create(
        practice=practice,
        stage="normalise",
        subject_kind="raw",
        subject_id="1",
        record_kind="claim",
        record_id="555",
        appointment_id=visit.anchor_id,
        reason="invalid",
        message="The claim's date of service is not a date",
        fingerprint="v1:x",
        first_seen=clock.now(),
        last_seen=clock.now(),
    )
    link = reverse("failure", args=[failure.pk])
    assert link not in text(desk, visit.pk)
    assert "Support is holding 1 failed record" in text(desk, visit.pk)
    client.force_login(a_user(practice, role="support"))
    assert link in text(client, visit.pk)


def test_every_rule_accounts_for_itself_on_the_page(desk: Client, practice: Practice) -> None:
    shown = text(desk, a_visit(practice).pk)
    assert "Signed, not checked out" in shown
    assert "Grace of G13: 24 h, default" in shown
    assert "waits for remittances (835)" in shown


def test_the_visit_page_costs_the_same_whatever_hangs_on_it(
    desk: Client, practice: Practice, django_assert_max_num_queries: Any
) -> None:
    visit = a_visit(practice)
    for _ in range(8):
        a_claim(visit)
    a_gap(visit)
    with django_assert_max_num_queries(34 + 12):  # twelve of them load what the rules see
        text(desk, visit.pk)
