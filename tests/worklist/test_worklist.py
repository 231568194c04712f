"""What the worklist lists, in which order, and what its filters and counts promise."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from athena_dash.correlation.models import Verdict
from athena_dash.practices.models import Practice
from athena_dash.worklist.models import WorkItem
from tests.builders import DAY, a_feed, a_gap, a_patient, a_practice, a_user, a_visit


def listed(client: Client, query: str = "") -> list[int]:
    page = client.get(reverse("visits") + query)
    assert page.status_code == 200
    return [int(pk) for pk in re.findall(r'id="row-(\d+)"', page.content.decode())]


def options(client: Client, menu: str, query: str = "") -> dict[str, int]:
    facets = client.get(reverse("visits") + query).context["facets"]
    return {o.value: o.count for m in facets.menus if m.name == menu for o in m.options}


def test_only_half_complete_visits_are_listed_at_first(desk: Client, practice: Practice) -> None:
    half, paid = a_visit(practice), a_visit(practice, track="DDDDDDDD")
    a_gap(half)
    assert listed(desk) == [half.pk]
    assert set(listed(desk, "?stage=all")) == {half.pk, paid.pk}
    assert listed(desk, "?stage=complete") == [paid.pk]


def test_a_visit_in_progress_is_neither_half_complete_nor_complete(desk: Client, practice: Practice) -> None:
    a_visit(practice, track="DDDDDDDC")
    assert listed(desk) == []
    assert listed(desk, "?stage=complete") == []


def test_a_closed_gap_no_longer_lists_its_visit(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    a_gap(a_visit(practice), closed_at=as_of, closed_by="data")
    assert listed(desk) == []


def test_a_filing_limit_within_fourteen_days_leads_whatever_it_is_worth(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    dear, cheap_and_near, cheap = (a_visit(practice) for _ in range(3))
    a_gap(dear, at_risk=Decimal(900))
    a_gap(cheap_and_near, at_risk=Decimal(10), filing_limit=as_of.date() + 14 * DAY)
    a_gap(cheap, at_risk=Decimal(10), filing_limit=as_of.date() + 15 * DAY)
    assert listed(desk) == [cheap_and_near.pk, dear.pk, cheap.pk]


def test_deadlines_are_chosen_by_the_days_that_are_left(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    passed, week, month, far = (a_visit(practice) for _ in range(4))
    for visit, days in ((passed, -1), (week, 7), (month, 30), (far, 31)):
        a_gap(visit, filing_limit=as_of.date() + days * DAY)
    assert list(options(desk, "deadline")) == ["7", "14", "21", "30", "passed"]
    assert listed(desk, "?limit=7") == [week.pk]
    assert set(listed(desk, "?limit=30")) == {week.pk, month.pk}
    assert listed(desk, "?passed=1") == [passed.pk]
    menu = next(
        m for m in desk.get(reverse("visits") + "?limit=7").context["facets"].menus if m.name == "deadline"
    )
    assert [option.url for option in menu.options][:2] == ["?", "?limit=14"]


def test_a_limit_that_has_passed_does_not_lead(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    lost, dear = a_visit(practice), a_visit(practice)
    a_gap(lost, at_risk=Decimal(10), filing_limit=as_of.date() - DAY)
    a_gap(dear, at_risk=Decimal(900))
    assert listed(desk) == [dear.pk, lost.pk]


def test_paging_shows_every_visit_once_while_rows_come_and_go(
    desk: Client, practice: Practice, monkeypatch: Any
) -> None:
    monkeypatch.setattr("athena_dash.worklist.queries.PAGE_SIZE", 3)
    worth = [500, 400, 400, None, 300, 0, 200]
    visits = [a_visit(practice) for _ in worth]
    for visit, dollars in zip(visits, worth, strict=True):
        a_gap(visit, at_risk=None if dollars is None else Decimal(dollars))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = desk.get(reverse("visits"), {"after": cursor}).context["page"]
        seen += [visit.pk for visit in page.rows]
        cursor = page.next or None
        # New work on top between two pages: by number, it would push a row onto the next page again.
        a_gap(a_visit(practice), at_risk=Decimal(999))
    assert sorted(seen) == sorted(visit.pk for visit in visits)
    assert len(seen) == len(set(seen))


def test_visits_without_a_date_are_paged_too(desk: Client, practice: Practice, monkeypatch: Any) -> None:
    monkeypatch.setattr("athena_dash.worklist.queries.PAGE_SIZE", 1)
    days = [None, dt.date(2026, 3, 1), None, dt.date(2026, 2, 1)]
    visits = {a_visit(practice, service_date=day).pk for day in days}
    for sort in ("newest", "oldest"):
        seen, cursor = [], ""
        for _ in days:
            page = desk.get(reverse("visits"), {"stage": "all", "sort": sort, "after": cursor}).context[
                "page"
            ]
            seen += [visit.pk for visit in page.rows]
            cursor = page.next
        assert cursor == ""
        assert set(seen) == visits


def test_a_cursor_or_filter_nobody_could_have_made_is_ignored(desk: Client, practice: Practice) -> None:
    a_gap(a_visit(practice))
    for query in (
        "?after=%00",
        "?after=W10",
        "?after=e30",
        "?start=soon&least=NaN&limit=x&sort=;--",
        "?code=%00",
    ):
        desk.get(reverse("visits") + query)
    assert len(listed(desk, "?after=WyJ4Il0&start=31-31-2026&least=-1&stage=what")) == 1


def test_each_count_says_what_choosing_it_would_list(desk: Client, practice: Practice) -> None:
    for code, payer in (("G13", "Meadow"), ("G13", "Cedar"), ("G05", "Meadow")):
        a_gap(a_visit(practice, payer_name=payer), code)
    assert options(desk, "code") == {"G13": 2, "G05": 1}
    assert options(desk, "code", "?payer=Meadow") == {"G13": 1, "G05": 1}
    assert options(desk, "payer", "?payer=Meadow") == {"Meadow": 2, "Cedar": 1}
    for code, count in options(desk, "code", "?payer=Meadow").items():
        assert len(listed(desk, f"?payer=Meadow&code={code}")) == count


def test_a_filter_that_matches_nothing_stays_visible_and_says_so(desk: Client, practice: Practice) -> None:
    a_gap(a_visit(practice))
    page = desk.get(reverse("visits") + "?code=G29")
    assert "No visit matches these filters" in page.content.decode()
    assert options(desk, "code", "?code=G29") == {"G13": 1, "G29": 0}


def test_athenas_ids_are_filtered_inside_their_practice_only(
    desk: Client, practice: Practice, biller: Any
) -> None:
    other = a_practice("mesa")
    biller.memberships.create(practice=other, role="billing")
    here, there = a_visit(practice, provider_id="71"), a_visit(other, provider_id="71")
    a_gap(here)
    a_gap(there)
    assert listed(desk, "?provider=mesa:71") == [there.pk]
    assert options(desk, "provider") == {"riverside:71": 1, "mesa:71": 1}


def test_dollars_dates_and_deadlines_narrow_the_list(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    old = a_visit(practice, service_date=dt.date(2026, 1, 5))
    new = a_visit(practice, service_date=dt.date(2026, 3, 5))
    a_gap(old, at_risk=Decimal(300), filing_limit=as_of.date() + 3 * DAY, due_at=as_of - DAY)
    a_gap(new, at_risk=Decimal(50))
    assert listed(desk, "?start=2026-02-01") == [new.pk]
    assert listed(desk, "?end=2026-02-01") == [old.pk]
    assert listed(desk, "?least=100") == [old.pk]
    assert listed(desk, "?limit=14") == [old.pk]
    assert listed(desk, "?limit_on=2026-03-14") == [old.pk]
    assert listed(desk, "?overdue=1") == [old.pk]


def test_my_visits_nobodys_visits_and_sleeping_visits(
    desk: Client, practice: Practice, biller: Any, as_of: dt.datetime
) -> None:
    mine, nobodys, asleep, awake_again = (a_visit(practice) for _ in range(4))
    for visit in (mine, nobodys, asleep, awake_again):
        a_gap(visit)
    WorkItem.objects.create(practice=practice, visit=mine, assignee=biller)
    WorkItem.objects.create(practice=practice, visit=asleep, snoozed_until=as_of + DAY)
    WorkItem.objects.create(practice=practice, visit=awake_again, snoozed_until=as_of - DAY)
    assert asleep.pk not in listed(desk)
    assert listed(desk, "?desk=mine") == [mine.pk]
    assert set(listed(desk, "?desk=unassigned")) == {nobodys.pk, awake_again.pk}
    assert listed(desk, "?desk=snoozed") == [asleep.pk]


def test_a_missing_claim_reads_as_suspect_while_the_claims_feed_is_behind(
    desk: Client, practice: Practice
) -> None:
    needs_claims, needs_appointments = a_visit(practice), a_visit(practice)
    a_gap(needs_claims, needs_feed="claims")
    a_gap(needs_appointments, "G05", needs_feed="appointments")
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=1))
    assert options(desk, "verdict") == {Verdict.SUSPECT_SYNC: 1, Verdict.NOT_BILLED: 1}
    assert listed(desk, "?verdict=suspect_sync") == [needs_claims.pk]
    rows = {row.pk: row for row in desk.get(reverse("visits")).context["rows"]}
    assert "claims feed is behind" in rows[needs_claims.pk].why_suspect
    assert rows[needs_claims.pk].track == "DDDDQQQQ"
    a_feed(practice, "claims")
    assert options(desk, "verdict") == {Verdict.NOT_BILLED: 2}


def test_a_paused_feed_is_not_believed_either(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    a_gap(a_visit(practice))
    a_feed(practice, "claims", paused_at=as_of)
    assert options(desk, "verdict") == {Verdict.SUSPECT_SYNC: 1}


def test_names_stay_out_of_the_list(desk: Client, practice: Practice) -> None:
    a_gap(a_visit(practice, patient=a_patient(practice, first_name="Ottilie", last_name="Vandersloot")))
    page = desk.get(reverse("visits")).content.decode()
    assert "OV" in page
    assert "Ottilie" not in page
    assert "Vandersloot" not in page


def test_a_page_costs_the_same_queries_for_one_row_and_for_fifty(
    desk: Client, practice: Practice, django_assert_max_num_queries: Any
) -> None:
    """Six for the page; session, user, the right and the navigation come on top."""
    for n in range(50):
        a_gap(a_visit(practice, provider_id=str(n), patient=a_patient(practice)))
    with django_assert_max_num_queries(6 + 5):
        assert len(listed(desk)) == 50


def test_without_visits_the_list_says_that_all_is_clear_and_when_it_last_heard(
    desk: Client, practice: Practice
) -> None:
    page = desk.get(reverse("visits")).content.decode()
    assert "All clear" in page
    assert "1 min ago" in page


def test_another_practices_visits_are_never_listed(desk: Client, practice: Practice) -> None:
    foreign = a_practice("elsewhere")
    a_user(foreign)
    a_gap(a_visit(foreign))
    assert listed(desk, "?stage=all") == []
    assert listed(desk, "?practice=elsewhere") == []


def test_htmx_gets_the_list_alone_from_the_same_address(
    desk: Client, htmx: Client, practice: Practice
) -> None:
    a_gap(a_visit(practice))
    part = htmx.get(reverse("visits"), headers={"HX-Target": "worklist"})
    assert part.content.decode().lstrip().startswith('<div id="worklist"')
    back = htmx.get(
        reverse("visits"), headers={"HX-Target": "worklist", "HX-History-Restore-Request": "true"}
    )
    whole = desk.get(reverse("visits"))
    assert "<!doctype html>" in back.content.decode()
    assert "<!doctype html>" in whole.content.decode()
    assert "HX-Request" in whole["Vary"]
    assert "HX-Target" in whole["Vary"]
