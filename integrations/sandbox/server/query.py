"""A request's parameters, read the way athena reads them: names in any case, lists by comma or repetition."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from integrations.sandbox.server.errors import invalid_field, missing_fields
from integrations.sandbox.server.wire import EASTERN


class Query:
    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)
        self.values: dict[str, list[str]] = {}
        for name, value in self.pairs:
            self.values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """The first value; an empty one counts as not given."""
        return next((value for value in self.values.get(name, []) if value), None)

    def texts(self, name: str) -> list[str]:
        return [part for value in self.values.get(name, []) for part in value.split(",") if part]

    def flag(self, name: str, default: bool = False) -> bool:
        given = self.text(name)
        return default if given is None else given.lower() in {"true", "1", "y", "yes"}

    def whole(self, name: str, default: int) -> int:
        given = self.text(name)
        if given is None:
            return default
        # int() alone would take "-5", "1_000" and an endless run of digits.
        if not (given.isascii() and given.isdigit() and len(given) <= 9):
            raise invalid_field(name, f"{name.upper()} is not a number.")
        return int(given)

    def day(self, name: str) -> date | None:
        given = self.text(name)
        if given is None:
            return None
        try:
            return datetime.strptime(given, "%m/%d/%Y").date()  # noqa: DTZ007 a date has no zone
        except ValueError:
            raise invalid_field(name, f"Improper {name.upper()}.") from None

    def stamp(self, name: str) -> datetime | None:
        """`mm/dd/yyyy hh24:mi:ss`, Eastern."""
        given = self.text(name)
        if given is None:
            return None
        try:
            return datetime.strptime(given, "%m/%d/%Y %H:%M:%S").replace(tzinfo=EASTERN)
        except ValueError:
            raise invalid_field(name, f"Improper {name.upper()}.") from None

    def require(self, *names: str) -> None:
        missing = [name for name in names if self.text(name) is None]
        if missing:
            raise missing_fields(*missing)
