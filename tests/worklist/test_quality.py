"""The Quality page: links by kind and method, each figure with its list; measured on request, batch by batch."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation import quality
from athena_dash.correlation.models import Link, LinkMeasure, LinkQuality
from athena_dash.practices.models import Practice
from athena_dash.sync import jobs, link_measures
from tests.builders import a_practice, a_visit
from tests.correlation.office import Office, a_claim, a_patient, an_appointment, an_encounter


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The practices a worker was woken for; nobody comes."""
    rung: list[int] = []

    def ring(practice_id: int) -> bool:
        rung.append(practice_id)
        return True

    monkeypatch.setattr("athena_dash.worklist.views.quality.ring_link_measure", ring)
    return rung


def two_visits(office: Office) -> None:
    office.receive(
        *(an_appointment("100", encounter_id="9"), an_encounter("9"), a_claim("40", appointment_id="100")),
        *(an_appointment("200", patient_id="8"), a_claim("50", patient_id="8")),
        a_claim("60", patient_id="nobody"),
    )


def text_of(client: Client, url: str) -> str:
    html = client.get(url).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.split("<main")[1].split("</main>")[0]))


def measure_to_the_end(practice: Practice) -> None:
    link_measures.ask(practice.pk, None)
    while link_measures.take_next(practice.pk):
        pass


def test_before_the_first_count_the_page_says_so(desk: Client) -> None:
    assert "Nothing counted yet" in text_of(desk, reverse("quality"))


def test_links_are_counted_by_kind_state_and_method(office: Office) -> None:
    two_visits(office)
    quality.count(office.id)
    claims = LinkQuality.objects.get(practice_id=office.id, kind="claim")
    assert (claims.linked, claims.unmatched, claims.review) == (2, 1, 0)
    assert claims.methods == {"id": 1, "patient_day": 1}


def test_a_second_count_of_the_day_replaces_the_first(office: Office) -> None:
    quality.count(office.id)
    two_visits(office)
    quality.count(office.id)
    assert LinkQuality.objects.get(practice_id=office.id, kind="claim").linked == 2


def test_a_link_whose_patient_was_merged_away_is_counted_and_listed_as_such(
    office: Office, desk: Client
) -> None:
    office.receive(
        a_patient("7"),
        a_patient("6", merged_into="7"),
        an_appointment("100"),
        a_claim("40", patient_id="6", appointment_id="100"),
        a_claim("41", appointment_id="100"),
    )
    quality.count(office.id)
    assert LinkQuality.objects.get(practice_id=office.id, kind="claim").merged == 1
    listed = text_of(desk, reverse("quality-links") + "?kind=claim&method=merged")
    assert "Claim 40" in listed
    assert "Claim 41" not in listed


def test_a_practice_counted_for_two_days_shows_them_at_the_end_of_thirty(
    office: Office, desk: Client
) -> None:
    two_visits(office)
    quality.count(office.id)
    LinkQuality.objects.filter(kind="claim").update(day=clock.now().date() - dt.timedelta(days=2))
    quality.count(office.id)
    claims = next(
        row for row in desk.get(reverse("quality")).context["quality"].kinds if row.label == "Claim"
    )
    told = [bar.words.partition(": ")[2] for bar in claims.bars]
    assert told == ["not counted"] * 27 + ["1 of 3 without a visit", "not counted", "1 of 3 without a visit"]


def test_every_figure_opens_as_many_rows_as_it_counts(office: Office, desk: Client) -> None:
    two_visits(office)
    quality.count(office.id)
    html = desk.get(reverse("quality")).content.decode()
    figures = re.findall(r'href="(/quality/links[^"]+)">(\d+)</a>', html)
    assert len(figures) > 5
    for url, shown in figures:
        answer = desk.get(url.replace("&amp;", "&"))
        assert len(answer.context["rows"]) == int(shown), url


def test_a_practice_is_counted_once_an_hour(office: Office) -> None:
    assert office.id in quality.due_to_count(clock.now())
    quality.count(office.id)
    assert office.id not in quality.due_to_count(clock.now())
    assert office.id in quality.due_to_count(clock.now() + dt.timedelta(hours=1))


def test_measuring_hides_ids_and_tells_how_often_the_rules_are_right(office: Office, desk: Client) -> None:
    two_visits(office)
    before = office.picture()
    measure_to_the_end(office.practice)
    quality.count(office.id)
    measure = LinkMeasure.objects.get(kind="claim")
    assert (measure.right, measure.wrong, measure.abstained) == (1, 0, 0)
    assert measure.finished_at
    assert office.picture() == before
    page = text_of(desk, reverse("quality"))
    assert "100.0% (20.6% to 100.0%)" in page  # of one record little can be said


def test_a_wrong_link_is_named_with_both_visits(office: Office, desk: Client) -> None:
    """The claim is dated and billed as the other visit of that patient."""
    office.receive(
        an_appointment("100", date=dt.date(2026, 3, 2), provider_id="72"),
        an_appointment("101"),
        a_claim("40", appointment_id="100"),
    )
    measure_to_the_end(office.practice)
    quality.count(office.id)
    page = text_of(desk, reverse("quality"))
    assert f"Claim 40 belongs to visit {office.visit('100').pk}" in page
    assert f"would have gone to visit {office.visit('101').pk}" in page


def test_a_measure_goes_on_after_its_worker_died(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five claims in batches of two; the worker dies after the first, and the second comes back for the rest."""
    monkeypatch.setattr(link_measures, "BATCH", 2)
    rows = [
        row
        for n in range(5)
        for row in (
            an_appointment(f"10{n}", patient_id=f"p{n}"),
            a_claim(f"4{n}", patient_id=f"p{n}", appointment_id=f"10{n}"),
        )
    ]
    office.receive(*rows)
    link_measures.ask(office.id, None)
    link_measures.take_next(office.id)
    assert LinkMeasure.objects.get(kind="claim").done == 2
    assert link_measures.practices_with_work(clock.now()) == [office.id]
    while link_measures.take_next(office.id):
        pass
    assert LinkMeasure.objects.get(kind="claim").right == 5
    assert link_measures.practices_with_work(clock.now()) == []


def test_a_batch_that_fails_waits_an_hour_and_not_only_for_the_next_tick(
    office: Office, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    two_visits(office)
    link_measures.ask(office.id, None)
    now = clock.now()
    with monkeypatch.context() as patched:
        patched.setattr(link_measures, "hide_and_compare", broken)
        for _ in LinkMeasure.objects.all():  # one measure of each kind
            with pytest.raises(ZeroDivisionError):
                link_measures.take_next(office.id)
    assert link_measures.practices_with_work(now) == []
    quality.count(office.id)
    assert "A batch failed; it is tried again in" in text_of(desk, reverse("quality"))
    later = now + dt.timedelta(hours=2)
    assert link_measures.practices_with_work(later) == [office.id]
    with clock.frozen(later):
        while link_measures.take_next(office.id):
            pass
    assert not LinkMeasure.objects.filter(finished_at__isnull=True).exists()


def test_measure_now_asks_once_and_shows_how_far_it_is(office: Office, desk: Client, bell: list[int]) -> None:
    two_visits(office)
    quality.count(office.id)
    for _ in range(2):
        answer = desk.post(reverse("quality-measure", args=[office.practice.slug]))
        assert answer.status_code == 302
    assert bell == [office.id, office.id]
    assert LinkMeasure.objects.filter(kind="claim").count() == 1
    page = desk.get(reverse("quality"))
    assert "0 of at most 600 records compared" in page.content.decode()
    assert "every 2s" in page.content.decode()


def test_the_worker_measures_batch_by_batch_and_counts_at_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_visits(office)
    link_measures.ask(office.id, None)
    monkeypatch.setattr(jobs, "ring_link_measure", lambda practice_id: jobs.measure_links(practice_id))
    jobs.measure_links(office.id)
    assert not LinkMeasure.objects.filter(finished_at__isnull=True).exists()
    assert LinkQuality.objects.filter(practice_id=office.id).exists()


def test_the_night_measures_each_practice_once_a_day(office: Office) -> None:
    assert office.id in link_measures.due(clock.now())
    link_measures.ask(office.id, None)
    assert office.id not in link_measures.due(clock.now())


def test_another_practices_links_are_not_counted_in(office: Office, desk: Client) -> None:
    stranger = a_practice("elsewhere")
    visit = a_visit(stranger)
    quality.count(stranger.pk)
    assert "Nothing counted yet" in text_of(desk, reverse("quality"))
    listed = desk.get(reverse("quality-links") + f"?practice={stranger.slug}")
    assert visit.anchor_id not in listed.content.decode()
    assert not Link.objects.filter(pk__in=[link.pk for link, _ in listed.context["rows"]]).exists()
    assert desk.post(reverse("quality-measure", args=[stranger.slug])).status_code == 404
