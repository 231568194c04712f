"""Values into the words and shapes of the screens: money, ages, icons, badges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from athena_dash.core import clock

register = template.Library()

NOTHING = "–"


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """A decorative Lucide icon; the word beside it carries the meaning."""
    svg = lucide(str(name), size=16, **{"class": "icon", "aria_hidden": "true"})
    return mark_safe("".join(line.strip() for line in svg.splitlines()))  # noqa: S308


@register.filter
def money(amount: Decimal | float | None) -> str:
    """$1,234.50; a dash when unknown, because unknown is not zero."""
    if amount is None:
        return NOTHING
    return f"−${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


@register.filter
def dollars(amount: Decimal | float | None) -> str:
    """Whole dollars, for estimates: cents would claim a precision they do not have."""
    if amount is None:
        return NOTHING
    return f"−${-amount:,.0f}" if amount < 0 else f"${amount:,.0f}"


@register.filter
def points(value: Decimal) -> str:
    return f"{value:.2f}".replace("-", "−")


def written(date: dt.date) -> str:
    """With the month as a word, so that nobody swaps it with the day: "Nov 12, 2026"."""
    return f"{date:%b} {date.day}, {date.year}"


@register.filter
def span(delta: dt.timedelta) -> str:
    seconds = int(abs(delta.total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.filter
def ago(at: dt.datetime | None) -> SafeString | str:
    """Such as "3 min ago", with the exact instant in `datetime` and, in UTC, on hover."""
    if at is None:
        return "never"
    delta = clock.now() - at
    words = f"{span(delta)} ago" if delta >= dt.timedelta() else f"in {span(delta)}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), f"{written(at)} {at:%H:%M}", words
    )


@register.filter
def instant(at: dt.datetime | None, zone: dt.tzinfo = dt.UTC) -> SafeString | str:
    """Every instant on screen says its zone: "Nov 12, 2026 14:05 UTC"."""
    if at is None:
        return NOTHING
    local = at.astimezone(zone)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{written(local)} {local:%H:%M %Z}")


@register.filter
def day(date: dt.date | None) -> SafeString | str:
    """A date as the desk writes it, and as the rules' sentences do."""
    if date is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', date.isoformat(), written(date))


def business_days(since: dt.date, until: dt.date) -> int:
    """Weekdays after `since` up to and including `until`; the desk counts its ages without weekends."""
    weeks, rest = divmod((until - since).days, 7)
    return weeks * 5 + sum((since + dt.timedelta(days=n)).weekday() < 5 for n in range(1, rest + 1))


@register.filter
def spoken(name: str) -> str:
    """An identifier as people say it: "document_references" is "document references"."""
    return name.replace("_", " ")


@register.filter
def plural(count: int, words: str) -> str:
    """`{{ 3|plural:"visit,visits" }}` gives "3 visits"."""
    one, many = words.split(",")
    return f"{count:,} {one if count == 1 else many}"


SHAPES = {
    "bad": "circle-x",
    "wait": "clock-alert",
    "busy": "loader",
    "good": "circle-check",
    "": "circle-dashed",
}


@register.simple_tag
def badge(tone: str, word: str, shape: str = "", title: str = "") -> SafeString:
    """A state as shape and word; tone (bad | wait | busy | good | "") only repeats it in colour."""
    hint = format_html(' title="{}"', title) if title else SafeString("")
    return format_html('<span class="badge {}"{}>{}{}</span>', tone, hint, icon(shape or SHAPES[tone]), word)
