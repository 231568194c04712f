"""The planner's decisions on screen: what was due, chosen and put off, what it is worth, and why."""

from __future__ import annotations

import datetime as dt

from django.test import Client

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync.models import Plan

HOLDS = {
    "kind": "claims on hold",
    "due": 12,
    "chosen": 5,
    "put_off": 7,
    "oldest": "2026-03-11T12:00:00+00:00",
    "dollars": 4321.5,
    "calls": 5,
    "why": "The calls of today reach for those that have waited longest and are worth most.",
}


def a_plan(practice: Practice, *lines: dict[str, object], minutes_ago: int = 1) -> Plan:
    at = clock.now() - dt.timedelta(minutes=minutes_ago)
    return Plan.objects.create(practice=practice, at=at, calls_left=900, allowed=5, lines=list(lines))


def shown(client: Client) -> str:
    return client.get("/feeds/riverside/planner").content.decode()


def test_it_says_what_was_put_off_and_why(as_sam: Client, practice: Practice) -> None:
    a_plan(practice, HOLDS)
    page = shown(as_sam)
    for said in ("Claims on hold", "$4,322", "5 chosen, 7 put off", HOLDS["why"], "of 900 left today"):
        assert str(said) in page


def test_what_is_all_young_enough_reads_as_nothing_due(as_sam: Client, practice: Practice) -> None:
    a_plan(practice, HOLDS, minutes_ago=3)
    a_plan(practice)
    page = shown(as_sam)
    assert "Nothing is due" in page
    assert "Earlier" in page


def test_before_the_first_decision_it_says_when_there_will_be_one(as_sam: Client) -> None:
    assert "The planner decides every two minutes" in shown(as_sam)
