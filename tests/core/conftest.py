"""Instances of their own, beside the one the test run uses."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from athena_dash.core.embedded.attach import attach, stop_keeper
from athena_dash.core.embedded.state import State


class Instance:
    """A state directory, and whether this process uses its services."""

    def __init__(self, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = state
        self.monkeypatch = monkeypatch
        self.in_use: int | None = None

    def attach(self) -> Instance:
        self.monkeypatch.setenv("ATHENA_DASH_STATE", str(self.state.root))
        self.in_use = attach(durable=False)
        return self

    def leave(self) -> None:
        if self.in_use is not None:
            os.close(self.in_use)
            self.in_use = None


@pytest.fixture
def make_instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Instance]]:
    made: list[Instance] = []

    def make() -> Instance:
        root = Path(tempfile.mkdtemp(prefix="athena-dash-test-"))
        root.chmod(0o711)  # for the user PostgreSQL runs as when this is root
        made.append(Instance(State(root), monkeypatch))
        return made[-1]

    yield make
    for instance in made:
        instance.leave()
        stop_keeper(instance.state)
        shutil.rmtree(instance.state.root, ignore_errors=True)  # a late keeper may still be looking in


@pytest.fixture
def instance(make_instance: Callable[[], Instance]) -> Instance:
    return make_instance()
