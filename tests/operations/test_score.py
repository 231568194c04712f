"""The arithmetic of evaluation: what counts as right, wrong, missed and let pass."""

from __future__ import annotations

from collections import Counter

from athena_dash.core.shares import interval
from athena_dash.operations.evaluation.gap_score import GapScore, table
from athena_dash.operations.evaluation.score import Tally, Truth, score_gaps, score_links
from athena_dash.operations.evaluation.verdicts import Shown, confusion, score_verdicts

V1, V2 = Truth(frozenset({"V1"})), Truth(frozenset({"V2"}))


def test_a_record_at_its_true_visit_is_right() -> None:
    assert score_links({"40": V1}, {"40": "V1"}) == Tally(tp=1)


def test_a_record_at_another_visit_is_wrong_and_missed() -> None:
    assert score_links({"40": V1}, {"40": "V2"}) == Tally(fp=1, fn=1)


def test_leaving_a_record_alone_is_missed_only_where_a_client_could_tell() -> None:
    twin = Truth(frozenset({"V2"}), linkable=False)
    assert score_links({"40": V1, "41": twin}, {}) == Tally(fn=1, abstained=2)


def test_guessing_a_twin_wrongly_is_wrong_but_not_missed() -> None:
    assert score_links({"41": Truth(frozenset({"V2"}), linkable=False)}, {"41": "V1"}) == Tally(fp=1)


def test_tying_a_record_that_belongs_nowhere_is_wrong() -> None:
    assert score_links({"r1": Truth(frozenset())}, {"r1": "V1"}) == Tally(fp=1)
    assert score_links({"r1": Truth(frozenset())}, {}) == Tally()


def test_an_invented_record_is_wrong() -> None:
    assert score_links({"40": V1}, {"40": "V1", "99": "V1"}) == Tally(tp=1, fp=1)


def test_gaps_within_the_band_are_neither_right_nor_wrong() -> None:
    tally = score_gaps(expected={"V1", "V2"}, tolerated={"V3"}, found={"V1", "V3", "V4"})
    assert tally == Tally(tp=1, fp=1, fn=1, dont_care=1)


def test_a_visit_expected_for_one_cause_and_tolerated_for_another_is_expected() -> None:
    assert score_gaps({"V1"}, {"V1"}, set()) == Tally(fn=1)


def test_ratios_say_nothing_where_there_was_nothing() -> None:
    assert (Tally().precision, Tally().recall) == (None, None)
    assert (interval(0, 0), Tally().report()["recall_95"]) == (None, None)


def test_a_report_holds_the_counts_asked_for_and_both_ratios_with_their_intervals() -> None:
    assert Tally(tp=3, fp=1, fn=2).report("tp", "fp") == {
        "tp": 3,
        "fp": 1,
        "precision": 0.75,
        "precision_95": (0.3006, 0.9544),
        "recall": 0.6,
        "recall_95": (0.2307, 0.8824),
    }


def test_the_interval_is_wilsons() -> None:
    """0 of 10 and 10 of 10 as in the textbooks: never past the ends, never without width."""
    assert interval(0, 10) == (0.0, 0.2775)
    assert interval(10, 10) == (0.7225, 1.0)
    low, high = interval(9_985, 10_000) or (0, 0)
    assert low < 0.9985 < high
    assert high - low < 0.002


def test_a_verdict_that_confirms_is_right_where_the_ledger_agrees_and_the_others_only_cover_less() -> None:
    shown = [
        Shown("G13", "not_billed", True),
        Shown("G14", "not_synced", False),
        Shown("G13", "not_billed", False),
        Shown("G15", "suspect_sync", True),
    ]
    report = score_verdicts(shown)
    assert (report["confirmed"], report["right"], report["coverage"]) == (3, 0.6667, 0.75)
    assert report["unconfirmed"] == {"G15": 1}


def test_one_cause_taken_for_another_is_told_by_visit_and_what_is_nearly_due_is_not() -> None:
    expected = {"G13": {"1", "2"}, "G15": {"3"}, "G24": {"2"}}
    found = {"G13": {"1"}, "G24": {"2", "4"}, "G22": {"3"}, "G05": {"5"}}
    assert confusion(expected, {"G24": {"4"}}, found) == {
        "G13 as G24": 1,
        "G15 as G22": 1,
        "nothing as G05": 1,
    }


def test_several_populations_are_added_up_code_by_code() -> None:
    one = GapScore(
        tallies={"G13": Tally(tp=3, fn=1)},
        healed={"G13": Tally(tp=4)},
        confused=Counter({"G13 as nothing": 1}),
        before=[Shown("G13", "unverified", True)],
        after=[Shown("G13", "not_billed", True)],
        reads=Counter(gaps=3, made=1, failed=0),
        cohorts=Tally(tp=1, fn=1),
        on_suppressed=0,
        unscored=Counter(),
    )
    said = (one + one).report()
    assert said["gaps"]["G13"]["tp"] == 6
    assert said["gaps"]["G13"]["recall"] == 0.75
    assert said["live_reads"]["per_100_gaps"] == 33.3333
    assert [verdicts["coverage"] for verdicts in said["verdicts"].values()] == [0, 1]
    assert any(
        line.startswith("| G13 | 8 (few) | 6 | 0 | 0 | 2 | 0 | 0 | 1.0000 (") for line in table(one + one)
    )
    assert "Days whose charges stopped (D6): 4; shown 2, others shown 0." in table(one + one)
    assert any(line.endswith("| 1.0000 / 1.0000 |") for line in table(one + one))


def test_what_is_not_here_whole_is_told_apart_from_what_was_judged_wrongly() -> None:
    tally = score_gaps({"1", "2", "3"}, {"9"}, {"1", "4", "5", "9"}, said={"4", "5"}, lacking={"2", "4"})
    assert (tally.tp, tally.fp, tally.said, tally.fn, tally.held) == (1, 2, 1, 2, 1)
