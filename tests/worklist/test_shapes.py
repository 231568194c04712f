"""What the shared shapes say to those who cannot see them, and how values read on screen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils.html import strip_tags

from athena_dash.core.templatetags.sparkline import Bar, sparkline
from athena_dash.core.templatetags.track import glyph, lacks, nodes, track
from athena_dash.core.templatetags.ui import ago, badge, business_days, day, dollars, instant, money, plural


def test_the_track_names_what_is_missing() -> None:
    assert 'aria-label="Charged missing"' in track("DDDDM---")
    assert 'aria-label="Nothing missing"' in track("DDDDDDDD")
    assert lacks("DDDDM---") == "no charge"
    assert lacks("DDDDDDDD") == ""


def test_what_was_not_heard_is_not_called_missing() -> None:
    assert lacks("DDDDQQQQ") == "not heard"
    assert "missing" not in track("DDDDQQQQ")


@pytest.mark.parametrize(
    ("letters", "rungs"), [("DDDDDDDD", 4), ("DDDDDDM-", 2), ("DDDDM---", 0), ("NNDDD---", 0)]
)
def test_a_rung_stands_where_both_rails_are_there(letters: str, rungs: int) -> None:
    assert track(letters).count('class="rung"') == rungs


def test_every_state_has_a_shape_of_its_own() -> None:
    drawn = {glyph(letter).replace(f"glyph {letter}", "glyph") for letter in "DMCFQ-N"}
    # Done and missing differ by their fill, which is in CSS; all others by what is drawn.
    assert len(drawn) == 6


def test_letters_nobody_knows_and_short_tracks_still_draw_eight_nodes() -> None:
    assert [node.letter for node in nodes("DX")] == ["D", "-", "-", "-", "-", "-", "-", "-"]


def test_unknown_money_is_not_zero_money() -> None:
    assert money(None) == dollars(None) == "–"
    assert money(Decimal("0")) == "$0.00"
    assert money(Decimal("-1234.5")) == "−$1,234.50"
    assert dollars(Decimal("12480.40")) == "$12,480"


def test_ages_skip_weekends() -> None:
    friday, monday = dt.date(2026, 3, 6), dt.date(2026, 3, 9)
    assert business_days(friday, monday) == 1
    assert business_days(friday, friday) == 0
    assert business_days(friday, friday + dt.timedelta(days=28)) == 20


def test_times_say_their_zone_and_dates_their_month(as_of: dt.datetime) -> None:
    assert strip_tags(instant(as_of)) == "Mar 11, 2026 16:00 UTC"
    assert strip_tags(day(as_of.date())) == "Mar 11, 2026"
    assert strip_tags(ago(as_of - dt.timedelta(minutes=3))) == "3 min ago"
    assert strip_tags(ago(as_of + dt.timedelta(hours=2))) == "in 2 h"
    assert ago(None) == "never"
    assert plural(1, "visit,visits") == "1 visit"


def test_words_from_outside_never_become_markup() -> None:
    assert "<script>" not in badge("bad", "<script>", title='"><script>')
    assert "<script>" not in sparkline([Bar(1, "<script>", "/x?a=<script>")], "<script>")


def test_a_sparkline_of_nothing_but_zeros_is_drawn_flat() -> None:
    assert sparkline([Bar(0, "none"), Bar(0, "none")], "Trend").count("<rect") == 2
    assert sparkline([], "Trend") == ""
