"""A feed's cursor remembers its moves, and can be set back for a re-read by whoever may."""

from __future__ import annotations

import datetime as dt

from athena_dash.sync import feeds, lease
from athena_dash.sync.models import CursorMove, Feed, Run
from tests.builders import a_feed, a_user
from tests.sync.athena import NOW

HOUR = dt.timedelta(hours=1)
AT = {"read_at": NOW.isoformat(), "walked_at": NOW.isoformat(), "covered_to": "2026-04-10", "reading": False}


def moved(feed: Feed, **marks: object) -> None:
    held = lease.take(feed.pk)
    row = held.hold()
    lease.move(row, marks, NOW)
    row.save()
    held.release()


def test_each_move_is_kept_with_where_it_came_from_and_a_flag_is_no_move(practice) -> None:
    feed = a_feed(practice, "claims")
    run = Run.objects.create(feed=feed, practice=practice, started_at=NOW)
    lease.move(feed, {"read_at": "a", "reading": True}, NOW, run=run)
    lease.move(feed, {"read_at": "a", "reading": False}, NOW, run=run)
    lease.move(feed, {"read_at": "b"}, NOW, run=run)
    kept = CursorMove.objects.order_by("pk").values_list("before", "after", "run")
    assert list(kept) == [
        ({"read_at": None}, {"read_at": "a"}, run.pk),
        ({"read_at": "a"}, {"read_at": "b"}, run.pk),
    ]
    assert feed.cursor == {"read_at": "b", "reading": False}


def test_only_the_newest_moves_are_kept(practice, monkeypatch) -> None:
    monkeypatch.setattr(lease, "MOVES_KEPT", 3)
    feed = a_feed(practice, "claims")
    for n in range(6):
        lease.move(feed, {"read_at": str(n)}, NOW)
    assert [move.after["read_at"] for move in feed.moves.order_by("pk")] == ["3", "4", "5"]


def test_a_cursor_set_back_reads_again_what_is_new_since_and_says_who_did_it(practice) -> None:
    feed, ada = a_feed(practice, "claims"), a_user(practice, role="admin")
    moved(feed, **AT)
    back = NOW - 30 * HOUR
    assert feeds.set_back(feed, back, ada)
    feed.refresh_from_db()
    assert feed.cursor == {
        "read_at": back.isoformat(),
        "walked_at": back.isoformat(),
        "covered_to": back.date().isoformat(),
        "reading": True,
    }, "what the changed feed has handed out since is asked for again"
    assert feed.moves.order_by("-pk").first().by == ada
    assert feed.lease_until is None
    assert not feeds.set_back(feed, NOW, ada), "it can only go back"


def test_a_feed_in_work_is_not_set_back(practice) -> None:
    feed, ada = a_feed(practice, "claims"), a_user(practice, role="admin")
    moved(feed, **AT)
    lease.take(feed.pk)
    assert not feeds.set_back(feed, NOW - HOUR, ada)
    feed.refresh_from_db()
    assert feed.cursor == AT


def test_the_feeds_page_shows_moves_and_lets_an_admin_set_back(practice, client) -> None:
    feed, ada = a_feed(practice, "claims"), a_user(practice, role="admin")
    moved(feed, **AT)
    client.force_login(ada)
    assert "2026-04-10" in client.get(f"/feeds/{feed.pk}").content.decode()
    client.post(f"/feeds/{feed.pk}/set-back", {"day": "2026-03-01"})
    feed.refresh_from_db()
    assert feed.cursor["covered_to"] == "2026-03-01"
