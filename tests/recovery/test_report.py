"""The report says what truly happened: never "processed"."""

from __future__ import annotations

import csv
from decimal import Decimal

from athena_dash.accounts.models import User
from athena_dash.practices.models import Practice
from athena_dash.recovery import batch
from athena_dash.recovery.report import csv_lines, report
from tests.builders import a_gap, a_visit
from tests.recovery.failing import Retries, a_failure
from tests.recovery.test_batch import started


def test_it_names_gaps_that_remain_on_the_same_visits(
    practice: Practice, sam: User, retries: Retries
) -> None:
    visit = a_visit(practice)
    gap = a_gap(visit, sentence="Signed 5 days ago, no charge entered")
    running = started(practice, sam, [a_failure(practice, appointment_id=visit.anchor_id)])
    batch.run(running.pk)
    assert [left.pk for left in report(running).remaining] == [gap.pk]


def test_every_outcome_is_counted_under_its_own_name(practice: Practice, sam: User, retries: Retries) -> None:
    failures = [a_failure(practice) for _ in range(5)]
    kinds = ("confirmed", "already", "superseded", "gone", "unknown")
    retries.outcomes = {failure.pk: kind for failure, kind in zip(failures, kinds, strict=True)}
    running = started(practice, sam, failures)
    batch.run(running.pk)
    told = report(running)
    assert {kind: told.counts[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert (told.counts["failed"], told.counts["waiting"]) == (0, 0)
    assert told.dollars_closed == Decimal("120.00")


def test_the_csv_has_a_line_for_each_item_and_no_formula(
    practice: Practice, sam: User, retries: Retries
) -> None:
    running = started(practice, sam, [a_failure(practice, record_id="=cmd()"), a_failure(practice)])
    batch.run(running.pk)
    lines = list(csv.reader(csv_lines(running)))
    assert len(lines) == 3
    assert lines[1][2] == "'=cmd()"
    assert lines[1][3] == "Confirmed"
