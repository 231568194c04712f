"""What a screen shows of a payload before anybody reveals it: ids, codes and states, and no person."""

from __future__ import annotations

import json

import pytest

from athena_dash.operations.payload import MASK, masked, show


def test_ids_and_states_stay_and_everything_else_is_masked() -> None:
    patient = {
        "patientid": "105",
        "firstname": "Ottilie",
        "dob": "04/09/1971",
        "zip": 2139,
        "status": "active",
    }
    assert masked(patient) == {
        "patientid": "105",
        "firstname": MASK,
        "dob": MASK,
        "zip": MASK,
        "status": "active",
    }


def test_nulls_and_booleans_stay_because_they_are_often_the_fault() -> None:
    assert masked({"claimid": None, "deceased": True}) == {"claimid": None, "deceased": True}


def test_a_story_in_an_id_field_is_not_shown() -> None:
    assert masked({"claimid": "Ottilie Quill, born 1971, " * 5}) == {"claimid": MASK}


def test_what_is_nested_in_a_masked_list_is_masked_too() -> None:
    name = {"name": [{"family": "Quill", "given": ["Ottilie"]}], "id": "a-1.E-105"}
    assert masked(name) == {"name": [{"family": MASK, "given": [MASK]}], "id": "a-1.E-105"}


@pytest.mark.parametrize("revealed", [False, True])
@pytest.mark.parametrize("body", [b'{"note": "\\ud800 \\u0000 \\u202e"}', b"\xff\x00plain", b"[" * 5000])
def test_whatever_came_can_be_written_to_a_page(body: bytes, revealed: bool) -> None:
    shown = show(body, revealed=revealed)
    shown.text.encode("utf-8")
    assert "\x00" not in shown.text


def test_a_web_page_is_named_and_its_words_are_not_shown() -> None:
    shown = show(b"<!DOCTYPE html><p>Ottilie Quill</p>", revealed=False)
    assert "an HTML page" in shown.note
    assert shown.text == ""


def test_a_revealed_payload_is_complete_and_readable() -> None:
    assert json.loads(show(b'{"b": "caf\\u00e9", "a": [1]}', revealed=True).text) == {"b": "café", "a": [1]}
