"""The visit track as inline SVG: eight letters into two rails, clinical above and revenue below.

A rung joins the rails wherever both sides are there, so that a finished visit is a ladder and a half-complete one
shows at a glance which rungs it lacks. Letters: D done, C current, M missing, F failed, Q not heard, - not reached,
N does not apply. Shape carries the state; CSS repeats it in colour.
"""

from __future__ import annotations

from typing import NamedTuple

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NODES = ("Scheduled", "Arrived", "Documented", "Signed", "Charged", "Claimed", "Billed", "Paid")
STATES = {
    "D": "done",
    "C": "in progress",
    "M": "missing",
    "F": "failed",
    "Q": "not heard from athena",
    "-": "not reached",
    "N": "does not apply",
}
LACKS = (
    "not booked",
    "no arrival",
    "no note",
    "not signed",
    "no charge",
    "no claim",
    "not billed",
    "not paid",
)

STEP, TOP, BOTTOM, RADIUS = 22, 6, 20, 3.75


class Node(NamedTuple):
    index: int
    name: str
    letter: str

    @property
    def state(self) -> str:
        return STATES[self.letter]


def nodes(letters: str) -> list[Node]:
    known = (letter if letter in STATES else "-" for letter in letters.ljust(len(NODES), "-"))
    return [Node(n, name, letter) for n, (name, letter) in enumerate(zip(NODES, known, strict=False))]


@register.filter
def lacks(letters: str) -> str:
    """The first missing step in words: "no charge"; empty when nothing is missing."""
    wrong = next((node for node in nodes(letters) if node.letter in "MFQ"), None)
    if wrong is None:
        return ""
    return "not heard" if wrong.letter == "Q" else LACKS[wrong.index]


@register.simple_tag
def glyph(letter: str, x: float = 8, y: float = 8, r: float = RADIUS) -> SafeString:
    """One node: disc done, ring with a dot current, hollow missing, crossed failed, hatched not heard, speck ahead."""
    if letter == "-":
        return format_html('<circle class="glyph off" cx="{}" cy="{}" r="1.75"/>', x, y)
    if letter == "N":
        return format_html('<path class="glyph off" d="M{} {}h5v1.25h-5z"/>', x - 2.5, y - 0.625)
    circle = format_html('<circle class="glyph {}" cx="{}" cy="{}" r="{}"/>', letter, x, y, r)
    if letter == "C":
        return circle + format_html('<circle class="glyph-dot" cx="{}" cy="{}" r="{}"/>', x, y, r / 2.6)
    if letter == "F":
        d = r * 0.45
        return circle + format_html(
            '<path class="glyph-cross" d="M{} {}l{} {}m0 -{}l-{} {}"/>',
            x - d,
            y - d,
            2 * d,
            2 * d,
            2 * d,
            2 * d,
            2 * d,
        )
    if letter == "Q":
        d = r * 0.7
        return circle + format_html(
            '<path class="glyph-hatch" d="M{} {}L{} {}M{} {}L{} {}M{} {}L{} {}"/>',
            *(x - d, y + d * 0.1, x + d * 0.1, y - d),
            *(x - d, y + d, x + d, y - d),
            *(x - d * 0.1, y + d, x + d, y - d * 0.1),
        )
    return circle


@register.simple_tag
def track(letters: str) -> SafeString:
    """Small enough to scan forty rows; its text alternative names every node that is not simply done or ahead."""
    row = nodes(letters)
    told = [f"{node.name} {node.state}" for node in row if node.letter in "CMFQ"]
    label = "; ".join(told) or "Nothing missing"
    rungs = [
        (left, TOP, left, BOTTOM)
        for left, above, below in ((6 + n * STEP, row[n].letter, row[n + 4].letter) for n in range(4))
        if above in "DC" and below in "DC"
    ]
    rails = [(6, y, 6 + 3 * STEP, y) for y in (TOP, BOTTOM)]
    return format_html(
        '<svg class="track" width="{}" height="26" viewBox="0 0 {} 26" role="img" aria-label="{}"><title>{}</title>{}{}{}</svg>',
        12 + 3 * STEP,
        12 + 3 * STEP,
        label,
        label,
        format_html_join("", '<line x1="{}" y1="{}" x2="{}" y2="{}"/>', rails),
        format_html_join("", '<line class="rung" x1="{}" y1="{}" x2="{}" y2="{}"/>', rungs),
        mark_safe(
            "".join(glyph(n.letter, 6 + n.index % 4 * STEP, TOP if n.index < 4 else BOTTOM) for n in row)
        ),  # noqa: S308
    )
