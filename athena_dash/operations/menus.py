"""Facets of the failures into the menus and chips of the filter bar; an option is a link that toggles it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from athena_dash.recovery.filters import FailureFilter
from athena_dash.sync.models import Reason, Stage
from athena_dash.sync.resources import spoken

LABELS = {"practice": "Practice", "reason": "Reason", "stage": "Stage", "feed": "Feed"}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int
    on: bool
    url: str


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    label: str
    on: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str


def menus(
    chosen: FailureFilter, counts: Mapping[str, Mapping[str, int]], practices: Mapping[str, str]
) -> list[Menu]:
    """`practices`: {slug: name}."""
    return [
        Menu(
            name=facet,
            label=LABELS[facet],
            on=bool(getattr(chosen, facet)),
            options=tuple(
                _option(chosen, facet, value, count, practices)
                for value, count in counts[facet].items()
                if value
            ),
        )
        for facet in LABELS
    ]


def chips(chosen: FailureFilter, practices: Mapping[str, str]) -> list[Chip]:
    return [
        Chip(
            f"{LABELS[facet]}: {word(facet, getattr(chosen, facet), practices)}", link(chosen.without(facet))
        )
        for facet in LABELS
        if getattr(chosen, facet)
    ]


def link(chosen: FailureFilter) -> str:
    return "?" + urlencode(chosen.words())


def word(facet: str, value: str, practices: Mapping[str, str]) -> str:
    if facet == "practice":
        return practices.get(value, value)
    if facet == "reason":
        return str(Reason(value).label)
    if facet == "stage":
        return str(Stage(value).label)
    return spoken(value)


def _option(
    chosen: FailureFilter, facet: str, value: str, count: int, practices: Mapping[str, str]
) -> Option:
    on = getattr(chosen, facet) == value
    target = chosen.without(facet) if on else chosen.choosing(facet, value)
    return Option(value, word(facet, value, practices), count, on, link(target))
