"""Care that is billed once for many visits: what the truth says of it, and that no claim is told twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.store import Store
from integrations.sandbox.world import Claim
from tests.sandbox.population.conftest import AS_OF, generate


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("episodes") / "sandbox.db"
    generate(path, visits=250, profile="episodes")
    return path


@pytest.fixture
def episodes(population: Path) -> Ledger:
    with Store(population) as store:
        return Ledger.export(store, AS_OF)


def test_no_visit_inside_has_a_claim_of_its_own(episodes: Ledger) -> None:
    charged = {(row.practice, row.visit) for row in episodes.records if row.kind == "claim"}
    assert episodes.parts
    assert not {(part.practice, part.visit) for part in episodes.parts} & charged


def test_nothing_is_left_to_charge_inside(episodes: Ledger) -> None:
    inside = {(part.practice, part.visit) for part in episodes.parts}
    forgotten = {(cause.practice, cause.visit) for cause in episodes.causes if cause.code in ("G13", "G23")}
    assert not inside & forgotten


def test_a_claim_pays_only_for_what_was_before_now(population: Path, episodes: Ledger) -> None:
    with Store(population) as store:
        claims = {
            (practice, claim.id): claim
            for practice in {part.practice for part in episodes.parts}
            for claim in store.find(practice, "claim")
            if isinstance(claim, Claim)
        }
    paying = [claims[part.practice, part.claim] for part in episodes.parts]
    assert max(claim.created_at for claim in paying) <= AS_OF
    codes = Counter(claim.charges[0].procedure_code for claim in paying)
    assert set(codes) == {"59400", "59510", "49505", "99490"}


def test_other_profiles_know_no_episodes(ledger: Ledger) -> None:
    assert ledger.parts == ()


def test_the_truth_of_episodes_is_written_and_read_again(tmp_path: Path, episodes: Ledger) -> None:
    episodes.write(tmp_path / "truth.jsonl")
    assert Ledger.read(tmp_path / "truth.jsonl").parts == episodes.parts
