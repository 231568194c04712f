"""A worker's freed memory stays with it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import call_command

from athena_dash.core.management.commands import rqworker

AGAIN = """
import resource
from athena_dash.core.memory import keep_freed_memory
{call}
def pages():
    blocks = [bytearray(6 << 20) for _ in range(8)]
pages()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
pages()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults_of_taking_again(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", AGAIN.format(call=call)], capture_output=True, check=True, timeout=30
    )
    return int(done.stdout)


def test_what_a_worker_frees_it_takes_again_without_the_kernel() -> None:
    assert faults_of_taking_again("") > 5_000
    assert faults_of_taking_again("keep_freed_memory()") < 1_000


def test_the_worker_command_keeps_what_it_frees_before_it_takes_a_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []
    monkeypatch.setattr(rqworker, "keep_freed_memory", lambda: order.append("kept"))
    monkeypatch.setattr(rqworker.RqWorker, "handle", lambda *_, **__: order.append("works"))
    call_command("rqworker", "live")
    assert order == ["kept", "works"]
