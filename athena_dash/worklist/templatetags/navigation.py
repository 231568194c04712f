"""The signed-in user's rights into the side navigation; screens they cannot open are not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse

from athena_dash.accounts import rights

register = template.Library()


@dataclass(frozen=True)
class Screen:
    """`key` is the letter after "g" on the keyboard."""

    name: str  # of its URL
    label: str
    icon: str
    key: str
    right: str


GROUPS: tuple[tuple[str, tuple[Screen, ...]], ...] = (
    (
        "Billing desk",
        (
            Screen("today", "Today", "sun", "t", rights.SEE_VISITS),
            Screen("visits", "Visits", "list-checks", "v", rights.SEE_VISITS),
            Screen("unmatched", "Unmatched", "unlink", "u", rights.SEE_VISITS),
            Screen("quality", "Link quality", "link", "q", rights.SEE_VISITS),
        ),
    ),
    (
        "Recovery",
        (
            Screen("failures", "Failures", "triangle-alert", "f", rights.SEE_FAILURES),
            Screen("replays", "Replays", "rotate-ccw", "r", rights.SEE_FAILURES),
        ),
    ),
    (
        "Connections",
        (
            Screen("feeds", "Feeds", "activity", "e", rights.SEE_FEEDS),
            Screen("practices", "Practices", "building-2", "p", rights.MANAGE_PRACTICE),
        ),
    ),
)


@register.inclusion_tag("components/nav.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, Any]:
    request: HttpRequest = context["request"]
    held = rights.rights_of(request.user)

    def entry(screen: Screen) -> dict[str, Any]:
        url = reverse(screen.name)
        inside = request.path == url or request.path.startswith(f"{url}/")
        return {"url": url, "label": screen.label, "icon": screen.icon, "key": screen.key, "current": inside}

    groups = [(heading, [entry(s) for s in screens if s.right in held]) for heading, screens in GROUPS]
    return {
        "groups": [(heading, entries) for heading, entries in groups if entries],
        "user": request.user,
        "csrf_token": context.get("csrf_token"),
    }
