"""What a person sees and does on Link review, in a line each."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from athena_dash.correlation.models import Gap, Link
from tests.correlation.office import Office


def choices(client: Client, link: Link) -> dict[str, Any]:
    return {
        c.visit.anchor_id: c for c in client.get(reverse("review", args=[link.pk])).context["review"].choices
    }


def tie(client: Client, link: Link, office: Office, anchor_id: str, query: str = "") -> Any:
    chosen = office.visit(anchor_id).pk
    return client.post(reverse("review-tie", args=[link.pk]) + query, {"visit": chosen}, follow=True)


def lines(client: Client, link: Link) -> dict[str, Any]:
    return {
        line.label: line for line in client.get(reverse("review", args=[link.pk])).context["review"].lines
    }


def says(gap: Gap) -> str:
    return " ".join(item["says"] for item in gap.evidence)
