"""Packages of a practice, typed as lines of "code: kind days-before days-after" or "code: off": a form's field.

`59400: obstetric 280 42` ↔ {"59400": "obstetric 280 42"}; an empty text is what ships.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from athena_dash.practices.packages import OFF, read

PROCEDURE = re.compile(r"[A-Z0-9]{5}")


class PackagesField(forms.CharField):
    """Says by its number which line it cannot read, and why."""

    widget = forms.Textarea(
        attrs={"rows": 4, "placeholder": "59400: obstetric 280 42", "spellcheck": "false"}
    )

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return dict(self.read(number, line) for number, line in lines)

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


def written(packages: Mapping[str, str]) -> str:
    return "\n".join(f"{code}: {words}" for code, words in sorted(packages.items()))


def by_words(packages: Mapping[str, str]) -> str:
    """A line per kind and span, with all its codes, to be read rather than typed."""
    return "\n".join(
        f"{words}: {', '.join(sorted(code for code in packages if packages[code] == words))}"
        for words in sorted(set(packages.values()))
    )
