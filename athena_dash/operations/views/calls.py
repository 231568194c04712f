"""The last calls made to athena for a practice, by feed and by what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET
from redis import RedisError

from athena_dash.accounts.rights import SEE_FEEDS, needs, practices_with
from athena_dash.core.render import page
from athena_dash.operations.menus import Chip, Menu, Option
from athena_dash.sync import call_log
from athena_dash.sync.budget import shared
from athena_dash.sync.call_log import LoggedCall
from athena_dash.sync.resources import spoken

SHOWN = 200
LABELS = {"feed": "Feed", "status": "Status"}
FACETS: dict[str, Callable[[LoggedCall], str]] = {
    "feed": lambda call: call.feed,
    "status": lambda call: str(call.status or "none"),
}


@require_GET
@needs(SEE_FEEDS)
def calls(request: HttpRequest, slug: str) -> HttpResponse:
    practice = get_object_or_404(practices_with(request.user, SEE_FEEDS), slug=slug)
    chosen = {name: request.GET[name] for name in FACETS if request.GET.get(name)}
    try:
        kept = list(call_log.latest(practice.pk, shared()))
    except RedisError:
        kept = []
    found = [call for call in kept if all(FACETS[name](call) == value for name, value in chosen.items())]
    context = {
        "practice": practice,
        "calls": found[:SHOWN],
        "found": len(found),
        "kept": len(kept),
        "menus": [menu(name, kept, chosen) for name in FACETS],
        "chips": [
            Chip(f"{LABELS[name]}: {word(value)}", link(without(chosen, name)))
            for name, value in chosen.items()
        ],
    }
    return page(request, "operations/calls.html", context, parts={"calls": "operations/_calls.html"})


def menu(name: str, kept: list[LoggedCall], chosen: dict[str, str]) -> Menu:
    """How many calls each value would leave, the other filter applied."""
    others = without(chosen, name)
    counted = Counter(
        FACETS[name](call)
        for call in kept
        if all(FACETS[other](call) == value for other, value in others.items())
    )
    return Menu(
        name=name,
        label=LABELS[name],
        on=name in chosen,
        options=tuple(
            Option(
                value,
                word(value),
                count,
                on := chosen.get(name) == value,
                link(others if on else {**others, name: value}),
            )
            for value, count in sorted(counted.items())
        ),
    )


def without(chosen: dict[str, str], name: str) -> dict[str, str]:
    return {other: value for other, value in chosen.items() if other != name}


def word(value: str) -> str:
    return "no answer" if value == "none" else spoken(value)


def link(chosen: dict[str, str]) -> str:
    return "?" + urlencode(chosen)
