"""The visit track as inline SVG: eight letters into two rails, clinical above and revenue below.

A rung joins the rails wherever both sides are there, so that a finished visit is a ladder and a half-complete
one shows at a glance which rungs it lacks. Letters: D done, C current, M missing, F failed, Q not heard,
- not reached, N does not apply. Shape carries the state; CSS repeats it in colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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


@dataclass(frozen=True)
class Node:
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
    """Disc done, dotted ring current, hollow missing, crossed failed, hatched not heard, speck ahead."""
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
        near, far = r * 0.15, r * 0.65
        return circle + format_html(
            '<path class="glyph-hatch" d="M{} {}L{} {}M{} {}L{} {}"/>',
            *(x - far, y + near, x + near, y - far),
            *(x - near, y + far, x + far, y - near),
        )
    return circle


@register.simple_tag
def track(letters: str) -> SafeString:
    """Small enough to scan forty rows; its text alternative names each node that is not done or ahead."""
    row = nodes(letters)
    told = [f"{node.name} {node.state}" for node in row if node.letter in "CMFQ"]
    label = "; ".join(told) or "Nothing missing"
    columns = [6 + n * STEP for n in range(4)]
    rails = [(columns[0], y, columns[-1], y) for y in (TOP, BOTTOM)]
    rungs = [
        (x, TOP, x, BOTTOM)
        for x, above, below in zip(columns, row[:4], row[4:], strict=True)
        if above.letter in "DC" and below.letter in "DC"
    ]
    marks = ((glyph(n.letter, columns[n.index % 4], TOP if n.index < 4 else BOTTOM),) for n in row)
    return format_html(
        '<svg class="track" width="{0}" height="26" viewBox="0 0 {0} 26" role="img" aria-label="{1}">'
        "<title>{1}</title>{2}{3}{4}</svg>",
        12 + 3 * STEP,
        label,
        format_html_join("", '<line x1="{}" y1="{}" x2="{}" y2="{}"/>', rails),
        format_html_join("", '<line class="rung" x1="{}" y1="{}" x2="{}" y2="{}"/>', rungs),
        format_html_join("", "{}", marks),
    )
