"""Tuning a practice: previewed before it is saved, kept as versions, taken back, judged again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Visit
from athena_dash.practices import versions
from athena_dash.practices.models import Policy, PolicyVersion, Practice
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.practices.policies import policy
from athena_dash.records.models import Claim, Insurance
from athena_dash.sync import jobs, pipeline, sweep
from tests.builders import a_practice, a_visit
from tests.correlation.office import Office, a_service, an_appointment, an_encounter
from tests.correlation.office import a_claim as billed
from tests.sync.rig import open_failures
from tests.sync.test_pipeline import a_claim, land

URL = "/practices/riverside/policies"


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bell as the view rings it: the practices to judge again."""
    heard: list[int] = []
    monkeypatch.setattr(jobs, "ring_rejudging", heard.append)
    return heard


def typed(client: Client, **changes: Any) -> dict[str, Any]:
    """The whole form as a browser sends it, some of it changed; dots written as two underscores."""
    form = client.get(URL).context["form"]
    values = {name: form[name].initial for name in form.fields if form[name].initial not in (None, [])}
    values |= {name.replace("__", "."): value for name, value in changes.items()}
    return {name: value for name, value in values.items() if value is not None}


def preview(client: Client, **changes: Any) -> Any:
    return client.post(URL, typed(client, **changes))


def save(client: Client, **changes: Any) -> Any:
    shown = preview(client, **changes)
    asked = {"save": "1", "previewed": shown.context["signature"]}
    return client.post(URL, typed(client, **changes) | asked)


def a_status(practice: Practice, word: str, claim_id: str = "40") -> None:
    Claim.objects.create(practice=practice, external_id=claim_id, primary_status=word, fetched_at=clock.now())


def test_a_change_is_previewed_first_and_nothing_is_saved(as_ada: Client, practice: Practice) -> None:
    a_visit(practice)
    page = preview(as_ada, grace_hours__G13=900)
    assert page.context["preview"].removed.rows == 1
    shown = page.content.decode()
    assert "Adds 0 rows, removes 1 row" in shown
    assert "Grace of G13: the default → 900 h" in shown
    assert not Policy.objects.exists()
    assert not PolicyVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_previewed_is_saved_and_every_visit_judged_again(
    as_ada: Client, practice: Practice, rung: list[int]
) -> None:
    visit = a_visit(practice)
    save(as_ada, grace_hours__G13=12)
    assert policy(practice, "grace_hours.G13") == 12
    assert Visit.objects.get(pk=visit.pk).reconsider_at
    assert rung == [practice.pk]
    jobs.rejudge_practice(practice.pk)
    assert Gap.objects.get(visit=visit, code="G13").closed_at is None
    assert "Overridden" in as_ada.get(URL).content.decode()


def test_opening_hours_are_inherited_until_the_practice_has_its_own(
    as_ada: Client, practice: Practice
) -> None:
    assert str(opening_hours(practice)).startswith("08:00 to 18:00 on Monday to Friday")
    save(as_ada, opening__from="07:30", opening__days=["mon", "sat"])
    assert str(opening_hours(practice)) == "07:30 to 18:00 on Monday, Saturday, America/New_York"
    assert 'value="07:30"' in as_ada.get(URL).content.decode()


def test_a_practice_cannot_close_before_it_opens(as_ada: Client, practice: Practice) -> None:
    page = preview(as_ada, opening__from="18:30")
    assert page.status_code == 422
    assert "It must be later than the opening at 18:30." in page.content.decode()


def test_rejudging_lets_others_in_between_and_rings_until_nothing_is_due(
    practice: Practice, rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        a_visit(practice, reconsider_at=clock.now())
    monkeypatch.setattr(pipeline, "BATCH", 2)
    jobs.rejudge_practice(practice.pk)
    assert rung == [practice.pk]
    jobs.rejudge_practice(practice.pk)
    assert rung == [practice.pk]
    assert Gap.objects.filter(code="G13").count() == 3


def test_of_two_admins_saving_at_once_the_second_looks_again(practice: Practice) -> None:
    seen = versions.changes_to({}, {"grace_hours.G13": 12})
    versions.save(practice, versions.changes_to({}, {"grace_hours.G13": 48}), None)
    with pytest.raises(versions.Overtaken):
        versions.save(practice, seen, None)
    assert policy(practice, "grace_hours.G13") == 48


def test_saving_something_else_than_was_previewed_previews_that(as_ada: Client, practice: Practice) -> None:
    signature = preview(as_ada, grace_hours__G13=12).context["signature"]
    page = as_ada.post(URL, typed(as_ada, grace_hours__G13=48) | {"save": "1", "previewed": signature})
    assert page.context["preview"] is not None
    assert not Policy.objects.exists()


def test_a_version_is_taken_back_through_its_own_preview(as_ada: Client, practice: Practice) -> None:
    save(as_ada, grace_hours__G13=12, no_show_fee=25)
    version = PolicyVersion.objects.get()
    assert str(version.saved_by) == "ada"
    assert {"name": "no_show_fee", "old": None, "new": 25} in version.changes
    page = as_ada.get(f"{URL}?before={version.pk}")
    assert "Grace of G13: 12 h → the default" in page.content.decode()
    form = page.context["form"]
    filled = {n: form[n].initial for n in form.fields if form[n].initial not in (None, [])}
    as_ada.post(URL, filled | {"save": "1", "previewed": page.context["signature"]})
    assert not Policy.objects.filter(practice=practice).exists()
    assert PolicyVersion.objects.count() == 2


def test_a_version_of_another_practice_is_not_found(as_ada: Client, practice: Practice) -> None:
    foreign = PolicyVersion.objects.create(practice=a_practice("mesa"), saved_at=clock.now(), changes=[])
    assert as_ada.get(f"{URL}?before={foreign.pk}").status_code == 404
    assert as_ada.get(f"{URL}?before=x").status_code == 200


def test_a_word_nobody_has_explained_comes_first_and_is_then_explained(
    as_ada: Client, practice: Practice
) -> None:
    a_status(practice, "HOLD", "40")
    a_status(practice, "HOLD", "41")
    a_status(practice, "pendcob ", "42")
    rows = as_ada.get(URL).context["form"].status_rows()
    assert [(row.title, row.unmapped) for row in rows] == [("PENDCOB", True), ("HOLD", False)]
    save(as_ada, **{"claim_status.PENDCOB": "hold"})
    assert policy(practice, "claim_status.PENDCOB") == "hold"
    assert not any(row.unmapped for row in as_ada.get(URL).context["form"].status_rows())


def test_explaining_a_word_lets_the_reported_claims_through_again(as_ada: Client, practice: Practice) -> None:
    a_status(practice, "ZHOLD", "301")
    pipeline.process(practice.pk, land(practice, "claims", a_claim(status="ZHOLD")))
    assert open_failures(practice).get().reason == "unmapped"
    save(as_ada, **{"claim_status.ZHOLD": "hold"})
    with clock.frozen(clock.now() + 2 * sweep.GRACE):
        sweep.process_left_behind(practice.pk)
    assert not open_failures(practice).exists()


def test_a_filing_limit_names_who_confirmed_it_and_where_it_is_written(
    as_ada: Client, practice: Practice
) -> None:
    Insurance.objects.create(
        practice=practice,
        external_id="1",
        patient_id="7",
        insurance_type="Commercial",
        fetched_at=clock.now(),
    )
    terms = {"filing_days.commercial": 180, "filing_source.commercial": "Meadow contract, §4"}
    save(as_ada, **terms)
    row = as_ada.get(URL).context["form"].filing_rows()[0]
    assert (row.title, row.inherited, row.own.set_by.username) == ("Commercial", "90 days", "ada")
    assert "Meadow contract, §4" in as_ada.get(URL).content.decode()


def test_a_payer_has_terms_of_its_own_for_claims_and_for_appeals(as_ada: Client, practice: Practice) -> None:
    Insurance.objects.create(
        practice=practice,
        external_id="1",
        patient_id="7",
        insurance_type="Commercial",
        payer_name="Aetna",
        fetched_at=clock.now(),
    )
    save(as_ada, **{"appeal_days.aetna": 150, "appeal_source.aetna": "Aetna contract, §9"})
    rows = {row.title: row for row in as_ada.get(URL).context["form"].filing_rows()}
    assert list(rows) == ["Commercial", "Aetna", "Commercial: appeal", "Aetna: appeal"]
    assert (rows["Aetna"].inherited, rows["Aetna: appeal"].inherited) == ("120 days", "180 days")
    assert rows["Aetna: appeal"].own.set_by.username == "ada"


def test_visits_of_an_excluded_type_expect_nothing(as_ada: Client, practice: Practice) -> None:
    visit = a_visit(practice, visit_type="Nurse visit")
    save(as_ada, **{"not_billable.visit_types": ["Nurse visit"]})
    jobs.rejudge_practice(practice.pk)
    assert Visit.objects.get(pk=visit.pk).suppressor == "visit type is not billable"


@pytest.mark.parametrize("hours", ["99999", "nan", "-1", "soon"])
def test_a_grace_that_makes_no_sense_is_refused(as_ada: Client, practice: Practice, hours: str) -> None:
    assert as_ada.post(URL, {"grace_hours.G13": hours, "save": "1"}).status_code == 422
    assert not Policy.objects.exists()


def test_a_value_equal_to_the_default_is_no_value_of_the_practices_own(
    as_ada: Client, practice: Practice
) -> None:
    assert as_ada.post(URL, {"grace_hours.G13": "24"}).status_code == 302
    assert not Policy.objects.exists()


def test_rules_that_wait_for_data_say_for_which(as_ada: Client, practice: Practice) -> None:
    shown = as_ada.get(URL).content.decode()
    assert "claim acknowledgements (277CA)" in shown
    assert "remittances (835)" in shown


def test_tests_done_here_are_typed_a_line_each_and_a_line_that_cannot_be_read_is_named(
    as_ada: Client, practice: Practice
) -> None:
    save(as_ada, in_house_tests="718-7: 85018, 85025\n\n2345-7: 82947")
    assert policy(practice, "in_house_tests") == {"718-7": ["85018", "85025"], "2345-7": ["82947"]}
    shown = as_ada.get(URL).content.decode()
    assert "2345-7: 82947\n718-7: 85018, 85025" in shown
    assert "Tests done here: the default → 2345-7: 82947; 718-7: 85018, 85025" in shown
    wrong = preview(as_ada, in_house_tests="718-7: 85018\nglucose: 82947")
    assert wrong.status_code == 422
    assert "Line 2 does not begin with a LOINC code" in wrong.content.decode()
    save(as_ada, in_house_tests="")
    assert not Policy.objects.filter(practice=practice, name="in_house_tests").exists()


def test_packages_are_previewed_and_their_claims_related_again(as_ada: Client, practice: Practice) -> None:
    """A practice that bills its therapy once a week: the visits of the week have no claim of their own."""
    office = Office(practice)
    day = clock.now().date() - timedelta(days=20)
    office.receive(
        an_appointment("100", encounter_id="9", date=day),
        an_encounter("9", date=day, closed_on=day),
        a_service("1", "9", "97110"),
        billed("40", appointment_id="900", procedure_codes=["97110"], service_date=day + timedelta(days=2)),
    )
    assert set(office.gaps("100")) == {"G13"}
    page = preview(as_ada, packages="97110: series 6 0")
    assert page.context["preview"].removed.rows == 1
    assert "Claims that pay for many visits: the default → 97110: series 6 0" in page.content.decode()
    assert set(office.gaps("100")) == {"G13"}
    save(as_ada, packages="97110: series 6 0")
    pipeline.drain(practice.pk)
    assert office.gaps("100") == {}
    save(as_ada, packages="")
    pipeline.drain(practice.pk)
    assert set(office.gaps("100")) == {"G13"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("5940: obstetric 280 42", "Line 1 does not begin with a procedure code of five characters."),
        ("59400: maternity", "Line 1 cannot be read: &#x27;maternity&#x27; is none of obstetric"),
        ("59400: obstetric 280", "Line 1 cannot be read: obstetric takes two numbers of days."),
        ("99490: care 30 0", "Line 1 cannot be read: care takes no days."),
        ("59400: obstetric 280 4000", "Line 1 cannot be read: days are whole numbers up to 366."),
        ("59400:", "Line 1 cannot be read: &#x27;&#x27; is none of obstetric"),
    ],
)
def test_a_package_that_cannot_be_read_says_why(
    as_ada: Client, practice: Practice, line: str, why: str
) -> None:
    page = preview(as_ada, packages=line)
    assert page.status_code == 422
    assert why in page.content.decode()
