"""Tests done in the practice itself, typed as lines of "LOINC: procedure, procedure" (G16): a form's field.

`718-7: 85018, 85025` ↔ {"718-7": ["85018", "85025"]}; an empty text is no test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

LOINC = re.compile(r"\d{1,7}-\d")
PROCEDURE = re.compile(r"[A-Z0-9]{5}")


class TestsField(forms.CharField):
    """Says by its number which line it cannot read."""

    widget = forms.Textarea(attrs={"rows": 4, "placeholder": "718-7: 85018, 85025", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return dict(self.read(number, line) for number, line in lines)

    def read(self, number: int, line: str) -> tuple[str, list[str]]:
        test, _, codes = (part.strip() for part in line.partition(":"))
        procedures = [code.strip().upper() for code in codes.split(",")]
        if not LOINC.fullmatch(test):
            raise forms.ValidationError(f"Line {number} does not begin with a LOINC code such as 718-7.")
        if not all(PROCEDURE.fullmatch(code) for code in procedures):
            raise forms.ValidationError(
                f"Line {number} needs procedure codes of five characters after a colon."
            )
        return test, procedures


def written(tests: Mapping[str, list[str]]) -> str:
    return "\n".join(f"{test}: {', '.join(codes)}" for test, codes in sorted(tests.items()))
