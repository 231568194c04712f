"""Packages of a practice, typed as lines of "code: kind days-before days-after" or "code: off": a form's field.

`59400: obstetric 280 42` ↔ {"59400": "obstetric 280 42"}; an empty text is what ships.
"""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from athena_dash.practices.lines_field import PROCEDURE, LinesField
from athena_dash.practices.packages import OFF, read


class PackagesField(LinesField):
    example = "59400: obstetric 280 42"

    def read(self, number: int, line: str) -> tuple[str, str]:
        code, _, said = line.partition(":")
        code, words = code.strip().upper(), " ".join(said.lower().split())
        if not PROCEDURE.fullmatch(code):
            raise forms.ValidationError(
                f"Line {number} does not begin with a procedure code of five characters."
            )
        try:
            if words != OFF:
                read(code, words)
        except ValueError as error:
            raise forms.ValidationError(f"Line {number} cannot be read: {error}.") from error
        return code, words

    @staticmethod
    def written(table: Mapping[str, str]) -> str:
        return "\n".join(f"{code}: {words}" for code, words in sorted(table.items()))


def by_words(packages: Mapping[str, str]) -> str:
    """A line per kind and span, with all its codes, to be read rather than typed."""
    return "\n".join(
        f"{words}: {', '.join(sorted(code for code in packages if packages[code] == words))}"
        for words in sorted(set(packages.values()))
    )
