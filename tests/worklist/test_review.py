"""People decide what the rules abstain from: the decision holds, moves the verdicts, and can be taken back."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.urls import reverse

from athena_dash.accounts.models import User
from athena_dash.correlation.models import Decision, Gap, Link
from athena_dash.correlation.service import judge_orphans
from athena_dash.practices.models import Practice
from tests.builders import a_link, a_practice, a_user
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_line,
    a_result,
    an_appointment,
    an_encounter,
)
from tests.worklist.reviewing import says, tie

DAY = dt.timedelta(days=1)


def test_tying_sets_the_link_moves_the_money_and_closes_the_gap(
    desk: Client, biller: User, office: Office, twins: Link
) -> None:
    assert "G13" in office.gaps("100")
    tie(desk, twins, office, "100")
    link = office.link("claim", "40")
    assert (link.state, link.method, link.decided_by) == ("linked", "manual", biller)
    assert office.visit("100").charges == 180
    assert "G13" not in office.gaps("100")


def test_the_visit_not_chosen_is_judged_again(desk: Client, office: Office, twins: Link) -> None:
    """Its verdict said that the claim may belong there; now it cannot."""
    assert "claim 40 may belong here" in says(office.gaps("101")["G13"])
    tie(desk, twins, office, "100")
    assert "claim 40" not in says(office.gaps("101")["G13"])


def test_a_decision_follows_its_visit_into_the_one_it_turns_out_to_be(desk: Client, office: Office) -> None:
    """An encounter was known by itself; once athena says its appointment, the two visits become one."""
    office.receive(an_appointment("100", date=WEDNESDAY + 6 * DAY), an_encounter("9", kind="ORDERSONLY"))
    office.receive(a_claim("40", billed_provider_id="90", department_id="2"))
    tie(desk, office.link("claim", "40"), office, "9")
    assert office.where("claim", "40") == "encounter 9"
    office.receive(an_encounter("9", appointment_id="100"))
    assert office.where("claim", "40") == "appointment 100"
    assert Decision.objects.get().visit == office.visit("100")


def test_a_decision_survives_correlating_and_receiving_everything_again(
    desk: Client, office: Office, twins: Link
) -> None:
    tie(desk, twins, office, "101")
    office.receive(an_appointment("100"), a_claim("40", diagnosis_codes=["J06.9"]), a_line("1", "40"))
    office.receive(a_claim("40", appointment_id="100"))
    assert office.where("claim", "40") == "appointment 101"


def test_none_of_these_keeps_it_in_sight_and_is_not_asked_again(
    desk: Client, office: Office, twins: Link
) -> None:
    desk.post(reverse("review-none", args=[twins.pk]))
    office.receive(a_claim("40", diagnosis_codes=["J06.9"]))
    link = office.link("claim", "40")
    assert (link.state, link.method, link.visit) == ("unmatched", "manual", None)
    assert "A person decided" in desk.get(reverse("unmatched")).content.decode()
    assert desk.get(reverse("review", args=[link.pk])).context["left"] == 0


def test_undoing_hands_the_record_back_to_the_rules(desk: Client, office: Office, twins: Link) -> None:
    before = office.picture()
    tie(desk, twins, office, "100")
    desk.post(reverse("review-undo", args=[twins.pk]))
    assert office.picture() == before
    assert "claim 40 may belong here" in says(office.gaps("101")["G13"])


def test_every_decision_and_its_undoing_are_kept(
    desk: Client, biller: User, office: Office, twins: Link, as_of: dt.datetime
) -> None:
    tie(desk, twins, office, "100")
    desk.post(reverse("review-undo", args=[twins.pk]))
    desk.post(reverse("review-none", args=[twins.pk]))
    kept = Decision.objects.filter(kind="claim", record_id="40").order_by("pk")
    assert [(d.verb, d.user, d.at) for d in kept] == [
        (verb, biller, as_of) for verb in ("tie", "undo", "none")
    ]
    assert [d.was_state for d in kept] == ["review", "linked", "review"]
    assert "What people decided" in desk.get(reverse("review", args=[twins.pk])).content.decode()


def test_the_next_record_of_the_same_queue_opens_and_offers_to_undo(
    desk: Client, office: Office, twins: Link
) -> None:
    office.receive(a_claim("50", patient_id="nobody"), a_result("r1"))
    other = office.link("claim", "50")
    page = tie(desk, twins, office, "100", "?kind=claim")
    assert page.redirect_chain == [(f"/unmatched/{other.pk}?kind=claim&decided={twins.pk}", 302)]
    assert reverse("review-undo", args=[twins.pk]) in page.content.decode()


def test_records_follow_each_other_as_they_are_listed_and_back(desk: Client, practice: Practice) -> None:
    kinds = ("claim", "encounter", "clinical", "claim")
    links = [a_link(None, kind, str(n), practice=practice, state="unmatched") for n, kind in enumerate(kinds)]
    shown = [desk.get(reverse("review", args=[link.pk])).context for link in links]
    older, encounter, result, newer = (link.pk for link in links)
    assert [page["next"] for page in shown] == [encounter, result, newer, older]
    assert [page["previous"] for page in shown] == [newer, older, encounter, None]


def test_the_last_record_stays_open_with_its_decision(desk: Client, office: Office, twins: Link) -> None:
    page = tie(desk, twins, office, "100")
    assert page.redirect_chain == [(f"/unmatched/{twins.pk}", 302)]
    assert "decided by bella" in page.content.decode()
    assert "No other record waits here." in page.content.decode()


def test_the_second_of_two_people_is_told_and_changes_nothing(
    desk: Client, practice: Practice, office: Office, twins: Link
) -> None:
    tie(desk, twins, office, "100")
    late = Client()
    late.force_login(a_user(practice, username="ben"))
    page = late.post(reverse("review-none", args=[twins.pk]), follow=True)
    assert "Somebody has decided about it meanwhile" in page.content.decode()
    assert office.where("claim", "40") == "appointment 100"


def test_a_foreign_practices_record_does_not_exist(desk: Client) -> None:
    foreign = a_link(None, "claim", "77", practice=a_practice("elsewhere"), state="unmatched")
    assert desk.get(reverse("review", args=[foreign.pk])).status_code == 404
    for name in ("review-tie", "review-none", "review-undo"):
        assert desk.post(reverse(name, args=[foreign.pk])).status_code == 404


def test_support_looks_and_does_not_touch(practice: Practice, office: Office, twins: Link) -> None:
    client = Client()
    client.force_login(a_user(practice, role="support"))
    page = client.get(reverse("review", args=[twins.pk]))
    assert "Tie to this visit" not in page.content.decode()
    assert client.post(reverse("review-none", args=[twins.pk])).status_code == 403


def test_a_link_the_rules_made_is_moved_by_hand_and_both_visits_are_judged(
    desk: Client, office: Office
) -> None:
    """An id can be wrong at its source: from the visit's evidence the claim is tied where it belongs."""
    for n in ("100", "101"):
        office.receive(an_appointment(n, encounter_id=f"9{n}"), an_encounter(f"9{n}"))
    office.receive(a_claim("40", appointment_id="100"), a_line("1", "40"))
    link = office.link("claim", "40")
    visit_page = desk.get(reverse("visit", args=[office.visit("100").pk])).content.decode()
    assert reverse("review", args=[link.pk]) in visit_page
    page = tie(desk, link, office, "101")
    assert page.redirect_chain == [(f"/unmatched/{link.pk}", 302)]
    assert (office.visit("100").charges, office.visit("101").charges) == (None, 180)
    assert ("G13" in office.gaps("100"), "G13" in office.gaps("101")) == (True, False)

    desk.post(reverse("review-undo", args=[link.pk]))
    assert office.where("claim", "40") == "appointment 100"
    assert (office.visit("100").charges, office.visit("101").charges) == (180, None)


def test_tying_an_orphan_result_closes_its_gap(desk: Client, office: Office) -> None:
    office.receive(an_appointment("100"), a_result("r1", at=dt.datetime(2026, 3, 4, 17, tzinfo=dt.UTC)))
    judge_orphans(office.id, ["r1"])
    assert Gap.objects.filter(code="G17", closed_at__isnull=True).exists()
    tie(desk, office.link("clinical", "r1"), office, "100")
    assert not Gap.objects.filter(code="G17", closed_at__isnull=True).exists()


def test_a_colleague_of_another_practice_is_not_told_what_was_decided(
    desk: Client, office: Office, twins: Link
) -> None:
    elsewhere = a_practice("elsewhere")
    other = a_link(None, "claim", "78", practice=elsewhere, state="unmatched")
    stranger = Client()
    stranger.force_login(a_user(elsewhere))
    tie(desk, twins, office, "100")
    page = stranger.get(reverse("review", args=[other.pk]) + f"?decided={twins.pk}")
    assert page.context["just_decided"] is None
