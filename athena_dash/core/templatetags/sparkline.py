"""Counts over time as a row of bars in inline SVG; each bar may be a link to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@dataclass(frozen=True)
class Bar:
    """`words` is the text alternative of this mark ("12 Nov: 4 visits"); `tone` is "", "wait" or "bad"."""

    value: float
    words: str
    url: str = ""
    tone: str = ""


def mark(bar: Bar, x: float, width: float, height: float, top: float) -> SafeString:
    tall = max(1.0, bar.value / top * height) if bar.value else 0.5
    rect = format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1"><title>{}</title></rect>',
        f"{bar.tone}-bar" if bar.tone else "",
        *(f"{size:.1f}" for size in (x, height - tall, width, tall)),
        bar.words,
    )
    return format_html('<a href="{}" aria-label="{}">{}</a>', bar.url, bar.words, rect) if bar.url else rect


@register.simple_tag
def sparkline(bars: Sequence[Bar], label: str, width: int = 96, height: int = 20) -> SafeString:
    """A linked sparkline is a group of links; an unlinked one is a single image described by `label`."""
    if not bars:
        return SafeString("")
    step = width / len(bars)
    top = max(bar.value for bar in bars) or 1
    marks = ((mark(bar, n * step, max(1.0, step - 1), height, top),) for n, bar in enumerate(bars))
    return format_html(
        '<svg class="sparkline" width="{}" height="{}" viewBox="0 0 {} {}" role="{}" aria-label="{}">'
        "{}</svg>",
        *(width, height, width, height),
        "group" if any(bar.url for bar in bars) else "img",
        label,
        format_html_join("", "{}", marks),
    )
