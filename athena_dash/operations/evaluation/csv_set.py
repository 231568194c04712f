"""A directory of CSV files → typed rows, and every row that could not be read, by file and line (docs/evaluation.md).

An empty cell or a missing column means unknown. What is wrong with a row is said without its content: an export
holds PHI, and what we say ends in terminals and logs.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Cells = Mapping[str, str]
LARGEST = Decimal("1e10")  # what a money column holds


class Unusable(Exception):
    """A whole file that cannot be read; the message says which and why."""


class EncounterRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    appointment_id: str = ""
    patient_id: str = ""
    day: dt.date | None = None  # the department's
    provider_id: str = ""
    department_id: str = ""
    procedures: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    appointment_id: str = ""
    patient_id: str = ""
    day: dt.date | None = None
    provider_id: str = ""
    department_id: str = ""
    amount: Decimal | None = None
    procedures: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()


class ChargeRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    claim_id: str = ""
    patient_id: str = ""
    day: dt.date | None = None
    provider_id: str = ""
    department_id: str = ""
    procedure: str = ""
    amount: Decimal | None = None


class MergeRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # the patient that is no more
    into: str


class TruthRow(msgspec.Struct, frozen=True, kw_only=True):
    """`encounter_id` is empty when the record belongs to none."""

    id: tuple[str, str]  # kind, record
    encounter_id: str = ""


Row = TypeVar("Row", EncounterRow, ClaimRow, ChargeRow, MergeRow, TruthRow)


@dataclass(frozen=True, slots=True)
class CsvSet:
    encounters: list[EncounterRow] = field(default_factory=list)
    claims: list[ClaimRow] = field(default_factory=list)
    charges: list[ChargeRow] = field(default_factory=list)
    merges: list[MergeRow] = field(default_factory=list)
    truth: list[TruthRow] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def read_set(directory: Path) -> CsvSet:
    bad: list[str] = []

    def read(name: str, key: str, parse: Callable[[Cells], Row], required: bool = False) -> list[Row]:
        path = directory / name
        if path.is_file():
            return read_file(path, key, parse, bad)
        if required:
            raise Unusable(f"{name} is missing")
        return []

    encounters = read("encounters.csv", "encounter_id", encounter, required=True)
    claims = read("claims.csv", "claim_id", claim)
    charges = read("charges.csv", "charge_id", charge)
    merges = read("merges.csv", "old_patient_id", merge)
    known = {("claim", row.id) for row in claims} | {("charge", row.id) for row in charges}
    truths = read("truth.csv", "id", lambda cells: truth(cells, known), required=True)
    return CsvSet(encounters, claims, charges, merges, truths, bad)


def read_file(path: Path, key: str, parse: Callable[[Cells], Row], bad: list[str]) -> list[Row]:
    """Rows by their first mention; a row without its key, or with one seen before, is bad."""
    rows: dict[object, Row] = {}
    for line, cells in lines_of(path, key):
        try:
            if isinstance(cells, str):
                raise ValueError(cells)
            if not cells[key]:
                raise ValueError(f"{key} is empty")
            row = parse(cells)
            if row.id in rows:
                raise ValueError(f"{key} was there before")
            rows[row.id] = row
        except ValueError as error:
            bad.append(f"{path.name}:{line}: {error}")
    return list(rows.values())


def lines_of(path: Path, key: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Line number and cells by column, or what is wrong with that line. Columns in any order, others ignored."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            if key not in header:
                raise Unusable(f"{path.name} has no column {key}")
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield reader.line_num, f"not CSV: {error}"
                    continue
                if cells:
                    yield reader.line_num, by_column(header, cells)
    except UnicodeDecodeError as error:
        raise Unusable(f"{path.name} is not UTF-8: {error.reason}") from error


def by_column(header: list[str], cells: list[str]) -> dict[str, str] | str:
    if len(cells) > len(header):
        return "more cells than the header has columns"
    if any("\0" in cell for cell in cells):
        return "a cell holds a NUL"
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False)}


def encounter(cells: Cells) -> EncounterRow:
    return EncounterRow(
        id=cells["encounter_id"],
        appointment_id=cells.get("appointment_id", ""),
        patient_id=cells.get("patient_id", ""),
        day=local_day(cells),
        provider_id=cells.get("provider_id", ""),
        department_id=cells.get("department_id", ""),
        procedures=codes(cells, "procedure_codes"),
        diagnoses=codes(cells, "diagnosis_codes"),
    )


def claim(cells: Cells) -> ClaimRow:
    return ClaimRow(
        id=cells["claim_id"],
        appointment_id=cells.get("appointment_id", ""),
        patient_id=cells.get("patient_id", ""),
        day=day(cells, "service_date"),
        provider_id=cells.get("billed_provider_id", ""),
        department_id=cells.get("department_id", ""),
        amount=money(cells, "amount"),
        procedures=codes(cells, "procedure_codes"),
        diagnoses=codes(cells, "diagnosis_codes"),
    )


def charge(cells: Cells) -> ChargeRow:
    return ChargeRow(
        id=cells["charge_id"],
        claim_id=cells.get("claim_id", ""),
        patient_id=cells.get("patient_id", ""),
        day=day(cells, "service_date"),
        provider_id=cells.get("provider_id", ""),
        department_id=cells.get("department_id", ""),
        procedure=cells.get("procedure_code", ""),
        amount=money(cells, "amount"),
    )


def merge(cells: Cells) -> MergeRow:
    if not cells.get("patient_id"):
        raise ValueError("patient_id is empty")
    return MergeRow(id=cells["old_patient_id"], into=cells["patient_id"])


def truth(cells: Cells, known: set[tuple[str, str]]) -> TruthRow:
    kind = cells.get("kind", "")
    if kind not in ("claim", "charge"):
        raise ValueError("kind is neither claim nor charge")
    if (kind, cells["id"]) not in known:
        raise ValueError(f"id names no {kind} of this set")
    return TruthRow(id=(kind, cells["id"]), encounter_id=cells.get("encounter_id", ""))


def local_day(cells: Cells) -> dt.date | None:
    """The day where the patient was. Without a zone the day is taken as it is written."""
    text, zone = cells.get("service_start", ""), cells.get("timezone", "")
    try:
        at = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("service_start is no ISO datetime") from None
    try:
        return at and (at.astimezone(ZoneInfo(zone)) if zone and at.tzinfo else at).date()
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        raise ValueError("timezone is no IANA zone of that day") from None


def day(cells: Cells, name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(cells[name]) if cells.get(name) else None
    except ValueError:
        raise ValueError(f"{name} is no ISO date") from None


def money(cells: Cells, name: str) -> Decimal | None:
    try:
        amount = Decimal(cells[name]) if cells.get(name) else None
    except InvalidOperation:
        raise ValueError(f"{name} is no number") from None
    if amount is not None and not (amount.is_finite() and abs(amount) < LARGEST):
        raise ValueError(f"{name} is no amount of money")
    return amount


def codes(cells: Cells, name: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in cells.get(name, "").split("|") if code.strip())
