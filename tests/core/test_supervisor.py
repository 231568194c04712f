"""Programs kept running, and ended in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from athena_dash.core.embedded.supervisor import Program, Supervisor
from tests.core.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
OBEDIENT = """
import signal, sys, time
def leave(*_):
    open(sys.argv[2], "a").write(sys.argv[1] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""

SERVER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1]])
time.sleep(60)
"""
WEB_WORKER = """
import os, time
import athena_dash.wsgi
open(os.environ["SAYS"], "w").write(str(os.getpid()))
time.sleep(60)
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, said.append)
    yield supervisor
    supervisor.stop()


def up(supervisor: Supervisor, program: Program) -> Callable[[], bool]:
    return lambda: (supervisor.logs / f"{program.name}.log").read_text().startswith("up")


def obedient(name: str, journal: Path, **options: str) -> Program:
    return Program(name, (sys.executable, "-c", OBEDIENT, name, str(journal)), **options)  # type: ignore[arg-type]


def test_the_last_started_is_the_first_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for name in ("postgres", "web", "worker"):
        program = obedient(name, journal)
        supervisor.start(program)
        assert eventually(up(supervisor, program))
    supervisor.stop()
    assert journal.read_text() == "worker web postgres "


def test_what_dies_is_started_again_later_each_time(supervisor: Supervisor, said: list[str]) -> None:
    running = supervisor.start(Program("brief", (sys.executable, "-c", "raise SystemExit(3)")))
    deadline = time.monotonic() + 20
    while len(said) < 3 and time.monotonic() < deadline:
        supervisor.poll()
        time.sleep(0.01)
    assert [line.split(";")[0] for line in said] == [
        "brief ended (3), again in 0.2 s",
        "brief ended (3), again in 0.5 s",
        "brief ended (3), again in 1 s",
    ]
    assert running.failures == 3


def test_who_does_not_listen_is_killed_and_that_is_said(supervisor: Supervisor, said: list[str]) -> None:
    deaf = Program("deaf", (sys.executable, "-c", DEAF), grace=0.2)
    running = supervisor.start(deaf)
    assert eventually(up(supervisor, deaf))
    supervisor.stop()
    assert running.process.returncode == -signal.SIGKILL
    assert said == ["deaf did not stop in time and was killed"]


def test_what_a_dead_program_left_behind_goes_with_it(supervisor: Supervisor) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    supervisor.start(Program("parent", (sys.executable, "-c", script)))
    log = supervisor.logs / "parent.log"
    assert eventually(lambda: log.read_text().endswith("\n"))
    orphan = int(log.read_text())
    assert eventually(lambda: not supervisor.running[0].alive)
    supervisor.poll()
    assert eventually(lambda: ended(orphan))


def ended(pid: int) -> bool:
    """A zombie nobody waits for counts: it holds no port and no file."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_programs_that_end_by_themselves_report_their_exit_codes(supervisor: Supervisor) -> None:
    programs = [
        Program(f"sync-{code}", (sys.executable, "-c", f"raise SystemExit({code})")) for code in (0, 4)
    ]
    assert supervisor.finish(programs) == [0, 4]


def test_a_log_that_has_grown_too_big_makes_room(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("athena_dash.core.embedded.supervisor.LOG_LIMIT", 10)
    (supervisor.logs / "wordy.log").write_text("x" * 11)
    supervisor.start(Program("wordy", ("true",)))
    assert (supervisor.logs / "wordy.log.1").read_text() == "x" * 11
    assert (supervisor.logs / "wordy.log").read_text() == ""


def test_a_web_worker_dies_with_its_server_though_nobody_could_tell_it(tmp_path: Path) -> None:
    says = tmp_path / "worker"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, WEB_WORKER], env={**os.environ, "SAYS": str(says)}, cwd=ROOT
    )
    try:
        assert eventually(lambda: says.exists() and says.read_text() != "")
    finally:
        server.kill()
        server.wait()
    worker = int(says.read_text())
    assert eventually(lambda: not runs(worker), seconds=10)


def runs(pid: int) -> bool:
    """A zombie whom nobody has buried runs no more."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
