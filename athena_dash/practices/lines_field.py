"""A table typed as lines of "key: value", and the line that cannot be read named by its number: a form's field."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from django import forms

PROCEDURE = re.compile(r"[A-Z0-9]{5}")


class LinesField(ABC, forms.CharField):
    """Text ↔ dict. What a line means, `read` and `written` of the subclass say; an empty text is an empty dict."""

    example = ""

    def __init__(self, **options: Any) -> None:
        attributes = {"rows": 4, "placeholder": self.example, "spellcheck": "false"}
        super().__init__(widget=forms.Textarea(attrs=attributes), **options)

    def prepare_value(self, value: Any) -> Any:
        return self.written(value) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return dict(self.read(number, line) for number, line in lines)

    @abstractmethod
    def read(self, number: int, line: str) -> tuple[str, Any]:
        """Key and value; raises ValidationError that names the line."""

    @staticmethod
    @abstractmethod
    def written(table: Mapping[str, Any]) -> str:
        """As it is typed."""
