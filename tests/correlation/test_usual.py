"""What a payer usually allows is learnt from the practice's own settled lines, and its answers are held against it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from athena_dash.core import clock
from athena_dash.correlation.judging import due_in
from athena_dash.correlation.models import Visit
from athena_dash.correlation.service import Evidence, judge_visits, keep, learn
from athena_dash.records.models import Claim
from tests.correlation.office import Office, Row, a_claim, a_line, an_appointment


def an_answer(id: str, allowed: str) -> list[Row]:
    """A visit of its own, billed at $180 and settled at what was allowed."""
    money = {
        "payments": Decimal(allowed),
        "adjustments": Decimal(180) - Decimal(allowed),
        "outstanding": Decimal(0),
    }
    return [
        an_appointment(id, status="4"),
        a_claim(f"4{id}", appointment_id=id, primary_status="CLOSED"),
        a_line(f"9{id}", f"4{id}", **money),
    ]


def test_an_answer_far_below_the_usual_is_found_once_the_usual_is_known(office: Office) -> None:
    policy: Row = ("insurance", {"external_id": "500", "patient_id": "7", "payer_name": "Meadow Health Plan"})
    office.receive(policy, *an_answer("105", "60"))
    office.receive(*(row for n in range(5) for row in an_answer(str(100 + n), "88")))
    long_ago = clock.now() - dt.timedelta(days=3)
    Claim.objects.update(primary_since=long_ago)
    assert "G36" not in office.gaps("105")
    keep(office.id, learn(office.id))
    judge_visits(office.id, due_in(office.id, clock.now(), 100), Evidence())
    gap = office.gaps("105")["G36"]
    assert (gap.at_risk, gap.estimator) == (Decimal("28.00"), "E5")
    assert all("G36" not in office.gaps(str(100 + n)) for n in range(5))


def test_a_visit_that_was_never_judged_does_not_become_due_by_a_lesson(office: Office) -> None:
    """It waits for the judge anyway; a first load would be written twice."""
    policy: Row = ("insurance", {"external_id": "500", "patient_id": "7", "payer_name": "Meadow Health Plan"})
    office.receive(policy, *an_answer("105", "88"))
    office.receive(*(row for n in range(5) for row in an_answer(str(100 + n), "88")))
    Visit.objects.filter(anchor_id="105").update(judged_at=None, reconsider_at=None)
    assert keep(office.id, learn(office.id))
    due = Visit.objects.filter(pk__in=due_in(office.id, clock.now(), 100))
    assert set(due.values_list("anchor_id", flat=True)) == {"100", "101", "102", "103", "104"}
