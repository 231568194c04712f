"""A stored payload into text for the screen: JSON with every value masked that is no id, code or status.

A payload is whatever the network sent: HTML, half a record, NUL bytes, lone surrogates, fifty megabytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

READABLE = 1_000_000  # bytes we are willing to parse for a screen
SHOWN = 60_000  # characters
MASK = "•••"

# Fields of athenaOne and FHIR whose values name records or states, no person; all else is masked.
PLAIN_FIELDS = frozenset(
    """
    patientid appointmentid encounterid claimid departmentid providerid renderingproviderid
    supervisingproviderid billedproviderid serviceid transactionid claimnoteid insurancepackageid
    insuranceid appointmenttypeid primarydepartmentid primaryproviderid rescheduledappointmentid
    primarypatientinsuranceid secondarypatientinsuranceid appointmentstatus encounterstate
    encounterstatus encountertype status stage claimstatus eligibilitystatus chargeentrynotrequired
    chargeentrynotrequiredreason cancelreasonnoshow appointmenttype visitname procedurecode
    billforservice units amount chargeamount outstanding payments adjustments transactiondetails
    totalcount id resourcetype reference system code use intent category versionid
    """.split()  # noqa: SIM905 (a list of words reads better as text)
)
# In a broken record a plain field can hold anything: only what is as short as an id or a word is shown.
LONGEST_PLAIN = 80


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    note: str = ""


def show(body: bytes, *, revealed: bool) -> Shown:
    if not body:
        return Shown("", "The payload is no longer kept here. Re-fetch asks athena for it again.")
    if len(body) > READABLE:
        return Shown("", f"{len(body) / 1_000_000:.1f} MB, too large to show here.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _not_json(body, revealed=revealed)
    text = json.dumps(document if revealed else masked(document), indent=2, ensure_ascii=False)
    return _cut(_readable(text))


def masked(document: Any, *, plain: bool = False) -> Any:
    """The same shape with the other values replaced; nulls and booleans stay: they are often the fault."""
    if isinstance(document, dict):
        return {key: masked(value, plain=str(key).lower() in PLAIN_FIELDS) for key, value in document.items()}
    if isinstance(document, list):
        return [masked(value, plain=plain) for value in document]
    if document is None or isinstance(document, bool):
        return document
    return document if plain and len(str(document)) <= LONGEST_PLAIN else MASK


def _not_json(body: bytes, *, revealed: bool) -> Shown:
    start = body[:200].lstrip().lower()
    kind = "an HTML page" if start.startswith((b"<!doctype html", b"<html")) else "not JSON"
    note = f"What came is {kind}, {len(body):,} bytes."
    if not revealed:
        return Shown("", note)
    return _cut(_readable(body.decode("utf-8", "backslashreplace")), note)


def _readable(text: str) -> str:
    """Control characters and surrogates as escapes: HTML cannot carry them."""
    return "".join(
        character
        if character in "\n\t" or (character.isprintable() and not "\ud800" <= character <= "\udfff")
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def _cut(text: str, note: str = "") -> Shown:
    if len(text) <= SHOWN:
        return Shown(text, note)
    return Shown(text[:SHOWN], f"{note} Only the first {SHOWN:,} characters are shown.".strip())
