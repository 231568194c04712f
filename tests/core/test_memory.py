"""A worker's freed memory stays with it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

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


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="it speaks to glibc only")
def test_what_a_worker_frees_it_takes_again_without_the_kernel() -> None:
    assert faults_of_taking_again("") > 5_000
    assert faults_of_taking_again("keep_freed_memory()") < 1_000
