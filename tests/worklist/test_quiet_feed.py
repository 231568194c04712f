"""Within a minute of a feed going stale its gaps read as suspect sync on every screen, and back, and no gap row is
rewritten for it (D2)."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.sync.models import Feed
from tests.builders import a_gap, a_visit
from tests.sync.athena import Time


def screens(desk: Client, visit: Visit) -> dict[str, Any]:
    """The gap's verdict, as each screen that shows one reads it."""
    worklist = desk.get(reverse("visits"))
    menu = next(one for one in worklist.context["facets"].menus if one.name == "verdict")
    return {
        "today": desk.get(reverse("today")).context["numbers"].unheard.count,
        "row": worklist.context["rows"][0].verdict.word,
        "menu": [option.label for option in menu.options],
        "filter": desk.get(reverse("visits") + "?verdict=suspect_sync").context["facets"].total,
        "visit": desk.get(reverse("visit", args=[visit.pk])).context["gap"]["verdict"].word,
    }


def gap_rows() -> list[tuple[Any, ...]]:
    """Where each row physically is, and who wrote it last: a rewritten one would have moved."""
    with connection.cursor() as cursor:
        cursor.execute("select id, ctid::text, xmin::text from correlation_gap order by id")
        return list(cursor.fetchall())


def test_a_feed_going_stale_turns_every_screen_within_the_minute_and_back(
    desk: Client, practice: Practice
) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    believed = {"today": 0, "row": "Not billed", "menu": ["Not billed"], "filter": 0, "visit": "Not billed"}
    doubted = {
        "today": 1,
        "row": "Suspect sync",
        "menu": ["Suspect sync"],
        "filter": 1,
        "visit": "Suspect sync",
    }
    before, time = gap_rows(), Time(clock.now())
    feed = Feed.objects.get(practice=practice, resource="claims")

    others = Feed.objects.filter(practice=practice).exclude(pk=feed.pk)
    minutes = feed.fresh_within.total_seconds() / 60 - 1  # it last came through a minute ago
    time.passes(minutes=minutes)
    others.update(last_success_at=clock.now())
    assert screens(desk, visit) == believed
    time.passes(minutes=1)
    assert screens(desk, visit) == doubted
    Feed.objects.filter(pk=feed.pk).update(last_success_at=clock.now())
    assert screens(desk, visit) == believed
    assert gap_rows() == before
