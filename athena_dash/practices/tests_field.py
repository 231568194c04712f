"""Tests done in the practice itself, typed as lines of "LOINC: procedure, procedure" (G16): a form's field.

`718-7: 85018, 85025` ↔ {"718-7": ["85018", "85025"]}; an empty text is no test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django import forms

from athena_dash.practices.lines_field import PROCEDURE, LinesField

LOINC = re.compile(r"\d{1,7}-\d")


class TestsField(LinesField):
    example = "718-7: 85018, 85025"

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

    @staticmethod
    def written(table: Mapping[str, list[str]]) -> str:
        return "\n".join(f"{test}: {', '.join(codes)}" for test, codes in sorted(table.items()))
