"""What a worker has read before it forks."""

from __future__ import annotations

import sys

import pytest
from django.core.management import call_command

from athena_dash.core.management.commands import rqworker
from integrations.fhir import validate
from integrations.fhir.payloads import PAYLOADS


def test_fhir_s_models_are_read_before_a_job_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(rqworker, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(
        rqworker.RqWorker, "handle", lambda *_, **__: read.append(validate._model.cache_info().currsize)
    )
    monkeypatch.delitem(sys.modules, "athena_dash.sync.preloaded", raising=False)
    validate._model.cache_clear()
    call_command("rqworker", "live")
    assert read == [len(PAYLOADS)]
