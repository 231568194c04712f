"""One tick: every app with background work enqueues what is due. Idempotent: PostgreSQL knows what is due.

An app does so in `jobs.enqueue_due() -> int`, which says how many jobs it made. Two ticks at once do no harm.
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import close_old_connections

log = logging.getLogger(__name__)


def tick() -> dict[str, int]:
    """Jobs enqueued, by app. One app's fault leaves the others their turn, and itself the next tick."""
    enqueued = {}
    for app in apps.get_app_configs():
        if not app.name.startswith("athena_dash.") or find_spec(f"{app.name}.jobs") is None:
            continue
        close_old_connections()  # after a restart of PostgreSQL this connects anew
        try:
            enqueued[app.label] = import_module(f"{app.name}.jobs").enqueue_due()
        except Exception:
            log.exception("tick failed", extra={"app": app.label})
    return enqueued
