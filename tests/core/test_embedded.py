"""The embedded services: there when needed, gone when not, and nothing lost to kill -9."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from athena_dash.core.embedded.attach import ServicesUnavailable, keeper_pid
from athena_dash.core.embedded.locks import Lock
from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import State
from athena_dash.core.embedded.valkey import Valkey
from tests.core.conftest import Instance
from tests.core.waiting import eventually
from tests.leftovers import OLD, remove_if_dead

PATIENT = "Eleanor Vance"


def write(state: State, value: str) -> None:
    with psycopg.connect(Postgres(state).conninfo()) as connection:
        connection.execute("create table if not exists kept (value text)")
        connection.execute("insert into kept values (%s)", [value])
    redis.Redis.from_url(Valkey(state).url()).rpush("kept", value)


def read(state: State) -> tuple[list[str], list[str]]:
    with psycopg.connect(Postgres(state).conninfo()) as connection:
        rows = [row[0] for row in connection.execute("select value from kept")]
    return rows, [item.decode() for item in redis.Redis.from_url(Valkey(state).url()).lrange("kept", 0, -1)]


def postmaster_pid(state: State) -> int:
    return int((Postgres(state).data / "postmaster.pid").read_text().split()[0])


def valkey_pid(state: State) -> int:
    return int(redis.Redis.from_url(Valkey(state).url()).info("server")["process_id"])


def test_services_end_with_their_last_user(instance: Instance) -> None:
    state = instance.attach().state
    first, instance.in_use = instance.in_use, None
    instance.attach()
    assert first is not None
    os.close(first)
    time.sleep(0.5)
    assert Postgres(state).answers()
    instance.leave()
    assert eventually(lambda: keeper_pid(state) is None)
    assert not Postgres(state).answers()
    assert not Valkey(state).answers()
    assert not state.sockets.exists()


def test_the_directory_of_a_killed_run_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.mkdir()
    in_use = Lock(root / "in-use.lock").share()
    long_ago = time.time() - OLD - 60
    os.utime(root, (long_ago, long_ago))
    remove_if_dead(root)
    assert root.exists()
    os.close(in_use)
    remove_if_dead(root)
    assert not root.exists()


def test_a_killed_postgres_comes_back_with_its_rows(instance: Instance) -> None:
    state = instance.attach().state
    write(state, "before")
    killed = postmaster_pid(state)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: Postgres(state).answers() and postmaster_pid(state) != killed)
    assert read(state)[0] == ["before"]


def test_a_killed_valkey_comes_back_with_its_keys(instance: Instance) -> None:
    state = instance.attach().state
    write(state, "before")
    killed = valkey_pid(state)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: Valkey(state).answers() and valkey_pid(state) != killed)
    assert read(state)[1] == ["before"]


def test_after_kill_9_of_everything_the_next_start_has_it_all(instance: Instance) -> None:
    state = instance.attach().state
    write(state, "before")
    keeper = keeper_pid(state)
    assert keeper
    for pid in (keeper, postmaster_pid(state), valkey_pid(state)):
        os.kill(pid, signal.SIGKILL)
    instance.leave()
    instance.attach()
    assert read(state) == (["before"], ["before"])


def test_a_killed_keeper_takes_its_servers_with_it(instance: Instance) -> None:
    state = instance.attach().state
    keeper, postmaster = keeper_pid(state), postmaster_pid(state)
    assert keeper
    os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{postmaster}").exists())
    assert eventually(lambda: not Valkey(state).answers())


def test_two_instances_share_nothing(make_instance: Callable[[], Instance]) -> None:
    one, other = make_instance().attach().state, make_instance().attach().state
    write(one, "of one")
    write(other, "of the other")
    assert read(one) == (["of one"], ["of one"])
    assert read(other) == (["of the other"], ["of the other"])
    assert Postgres(one).password != Postgres(other).password


def test_commands_that_start_at_the_same_moment_share_one_keeper(instance: Instance) -> None:
    script = "from athena_dash.core.embedded.attach import attach; attach(durable=False); input()"
    environment = {**os.environ, "ATHENA_DASH_STATE": str(instance.state.root)}
    command = [".venv/bin/python", "-c", script]
    users = [subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) for _ in range(3)]
    instance.attach()
    for user in users:
        user.communicate(b"\n", timeout=30)
    assert [user.returncode for user in users] == [0, 0, 0]
    assert Postgres(instance.state).answers()


def test_a_keeper_that_comes_when_everyone_has_left_starts_nothing(instance: Instance) -> None:
    """One that lost the race waits for the lock: it gets it when the winner stops, and must not begin anew."""
    command = [".venv/bin/python", "-m", "athena_dash.core.embedded.keeper", "--not-durable"]
    environment = {**os.environ, "ATHENA_DASH_STATE": str(instance.state.root)}
    assert subprocess.run(command, env=environment, timeout=30, check=False).returncode == 0
    assert sorted(path.name for path in instance.state.root.iterdir()) == ["in-use.lock", "keeper.lock"]


def test_a_pid_file_whose_pid_is_someone_else_s_by_now_does_not_stop_the_start(instance: Instance) -> None:
    state = instance.attach().state
    write(state, "before")
    instance.leave()
    assert eventually(lambda: keeper_pid(state) is None)
    postgres = Postgres(state)
    uid, gid = postgres.identity or (None, None)
    stranger = subprocess.Popen(["sleep", "60"], user=uid, group=gid, cwd="/")
    try:
        (postgres.data / "postmaster.pid").write_text(f"{stranger.pid}\n{postgres.data}\n")
        instance.attach()
        assert read(state)[0] == ["before"]
    finally:
        stranger.kill()
        stranger.wait()


def test_an_initdb_that_was_interrupted_is_done_again(instance: Instance) -> None:
    postgres = Postgres(instance.state)
    (postgres.data / "global").mkdir(parents=True)
    (postgres.data / "PG_VERSION").write_text(f"{postgres.binaries.major}\n")
    (postgres.data / "global" / "pg_control").touch()
    postgres.data.with_name(f"{postgres.data.name}.initdb").touch()
    instance.attach()
    assert postgres.answers()


def test_a_broken_cluster_is_said_to_be_broken(instance: Instance) -> None:
    postgres = Postgres(instance.state)
    (postgres.data / "global").mkdir(parents=True)
    (postgres.data / "global" / "pg_control").touch()
    postgres.data.chmod(0o755)
    with pytest.raises(ServicesUnavailable, match="postgres"):
        instance.attach()


def test_the_server_s_log_quotes_no_row(instance: Instance) -> None:
    state = instance.attach().state
    with psycopg.connect(Postgres(state).conninfo(), autocommit=True) as connection:
        connection.execute("create table patient (name text unique)")
        connection.execute("insert into patient values (%s)", [PATIENT])
        with pytest.raises(psycopg.errors.UniqueViolation, match=PATIENT):
            connection.execute("insert into patient values (%s)", [PATIENT])
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute(f"select from where '{PATIENT}'")
    log = (state.logs / "postgres.log").read_text()
    assert "duplicate key" in log
    assert PATIENT not in log


def test_two_processes_that_make_a_secret_at_once_get_the_same_one(tmp_path: Path) -> None:
    state = State(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: state.secret("secret_key"), range(16)))
    assert len(secrets) == 1
    assert stat.S_IMODE((tmp_path / "secrets" / "secret_key").stat().st_mode) == 0o600


def test_a_socket_directory_that_someone_else_made_is_not_used(instance: Instance) -> None:
    elsewhere = instance.state.root / "elsewhere"
    elsewhere.mkdir()
    instance.state.sockets.symlink_to(elsewhere)
    with pytest.raises(ServicesUnavailable, match="belongs to another user"):
        instance.attach()
    instance.state.sockets.unlink()
