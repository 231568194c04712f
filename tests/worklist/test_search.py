"""Search finds people and ids, and leaves no name in a URL, a log or a cache key."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from athena_dash.practices.models import Practice
from athena_dash.worklist import search
from tests.builders import a_claim, a_gap, a_patient, a_user, a_visit


def find(client: Client, text: str) -> Any:
    return client.post(reverse("visit-search"), {"text": text}, follow=True)


def found(client: Client, text: str) -> list[int]:
    return [visit.pk for visit in find(client, text).context["page"].rows]


def test_a_name_finds_its_visits_whatever_the_order_of_its_parts(desk: Client, practice: Practice) -> None:
    hers = a_visit(practice, patient=a_patient(practice, first_name="Ottilie", last_name="Vandersloot"))
    other = a_visit(practice)
    a_gap(hers)
    a_gap(other)
    assert found(desk, "ottilie vander") == [hers.pk]
    assert found(desk, "Vandersloot, Ottilie") == [hers.pk]
    assert found(desk, "Nobody") == []


def test_every_kind_of_id_finds_its_visit(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    claim = a_claim(visit)
    a_gap(visit)
    for key in (visit.patient_id, visit.anchor_id, claim.external_id, f"#{claim.external_id}"):
        assert found(desk, key) == [visit.pk], key


def test_the_address_holds_a_token_and_the_cache_holds_no_plain_name(
    desk: Client, practice: Practice
) -> None:
    answer = find(desk, "Vandersloot")
    url = answer.redirect_chain[-1][0]
    assert "andersloot" not in url
    token = url.rsplit("=", 1)[1]
    assert search.recall(token) == "Vandersloot"
    raw = cache._cache.get_client().keys("*")  # type: ignore[attr-defined]
    assert raw
    assert not any(token.encode() in key or b"andersloot" in key for key in raw)
    assert not any(
        b"andersloot" in (cache._cache.get_client().get(key) or b"")  # type: ignore[attr-defined]
        for key in raw
    )


def test_a_search_keeps_the_other_filters(desk: Client, practice: Practice) -> None:
    answer = desk.post(reverse("visit-search") + "?code=G13&after=abc", {"text": "1234"})
    assert answer["Location"].startswith(reverse("visits") + "?code=G13&found=")


def test_without_the_right_to_names_a_name_finds_nothing_and_is_not_shown(
    practice: Practice, desk: Client, client: Client
) -> None:
    visit = a_visit(practice, patient=a_patient(practice, last_name="Vandersloot"))
    a_gap(visit)
    client.force_login(a_user(practice, role="support"))
    assert found(client, "Vandersloot") == []
    assert found(client, visit.patient_id) == [visit.pk]
    hers = find(desk, "Vandersloot").redirect_chain[-1][0]
    assert "Vandersloot" not in client.get(hers).content.decode()


def test_an_expired_or_invented_token_says_so_and_finds_nothing(desk: Client, practice: Practice) -> None:
    a_gap(a_visit(practice))
    page = desk.get(reverse("visits") + "?found=invented")
    assert "An expired search" in page.content.decode()
    assert list(page.context["page"].rows) == []


def test_bytes_a_database_cannot_hold_are_dropped(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    assert found(desk, f"\x00{visit.patient_id}") == [visit.pk]
    assert find(desk, "\x00 ").status_code == 200
