"""The product inside a bench process: which database, which practice, and its three feeds as lists.

In production transactions are asked claim by claim and FHIR patient by patient. Here the same walk, connector, raw
store and pipeline read them as whole lists of 1000 a page, so that pages and not questions are what is measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import django

from bench.sync.corpus import LISTS, PAGE, Corpus
from bench.sync.visit import DEPARTMENTS, PRACTICE, PROVIDERS

FEEDS = ("claims", "transactions", "fhir_encounters")  # in the order of sync.resources


def use(database: str) -> None:
    """Django on this database; once a process, before anything of the product is imported."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "athena_dash.settings"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()


def prepare(database: str, base_url: str, corpus: Corpus) -> None:
    """The ground: a practice with departments, providers and its appointments, each already a visit."""
    use(database)
    from django.core.management import call_command

    from athena_dash.core import clock
    from athena_dash.practices.models import Connection, Practice
    from athena_dash.sync.ingest import ingest
    from athena_dash.sync.models import Feed
    from athena_dash.sync.resources import RESOURCES

    call_command("migrate", verbosity=0)
    practice = Practice.objects.create(slug="bench", name="Bench", athena_id=PRACTICE)
    Connection.objects.create(
        practice=practice,
        base_url=base_url,
        client_id="bench",
        client_secret="bench",  # noqa: S106 - of the stub
        calls_per_second=1_000_000,  # the stub has no limit, and the limiter is asked all the same
        calls_per_day=2_000_000_000,
    )
    for name in FEEDS:
        resource = RESOURCES[name]
        Feed.objects.create(
            practice=practice,
            resource=name,
            due_at=clock.now(),
            interval=resource.interval,
            fresh_within=resource.fresh_within,
        )
    ingest(practice, "departments", [directory("departments", "departmentid", DEPARTMENTS)])
    ingest(practice, "providers", [directory("providers", "providerid", dict.fromkeys(PROVIDERS))])
    for body in corpus.bodies(1, "appointments"):
        ingest(practice, "appointments", [body])


def judge_again(database: str) -> None:
    """Every visit, after the clock has stopped: nothing may change by it."""
    use(database)
    from athena_dash.correlation.models import Visit
    from athena_dash.practices.models import Practice
    from athena_dash.sync import pipeline

    practice = Practice.objects.get()
    visit_ids = list(Visit.objects.for_practice(practice).values_list("pk", flat=True))
    for start in range(0, len(visit_ids), pipeline.BATCH):
        pipeline.rejudge(practice.pk, visit_ids[start : start + pipeline.BATCH])


def directory(envelope: str, id_field: str, zones: dict[str, Any]) -> bytes:
    rows = [
        {id_field: key, "name": f"Room {key}", "displayname": f"Provider {key}", "timezonename": zone}
        for key, zone in zones.items()
    ]
    return json.dumps({envelope: rows, "totalcount": len(rows)}).encode()


def list_feeds(width: int | None) -> None:
    """Make the three feeds lists: what the bench bends, and all it bends. `width`: calls of a run at once."""
    from athena_dash.sync import connections, resources, source
    from integrations.athena import endpoints
    from integrations.athena.page import Page

    for name in FEEDS:
        resources.RESOURCES[name] = replace(
            resources.RESOURCES[name], listed=True, windows="", changed=False, subject=""
        )
    charges = replace(
        endpoints.ENDPOINTS["transactions"],
        path=LISTS["transactions"][0].removeprefix(f"/v1/{PRACTICE}"),
        envelope=LISTS["transactions"][1],
        page_size=PAGE,
    )
    endpoints.ENDPOINTS = MappingProxyType({**endpoints.ENDPOINTS, "transactions": charges})

    class Lists(source.AthenaClient):
        """One more list than v1 has: all Encounters, over the real FHIR client and its cursor."""

        def pages(self, resource: str, *ahead: Any, **params: Any) -> Iterator[Page]:
            if resource == "fhir_encounters":
                return source.FhirClient(self.session).search("Encounter")
            return super().pages(resource, *ahead, **params)

    source.AthenaClient = Lists
    connections.WIDTH = width or connections.WIDTH
