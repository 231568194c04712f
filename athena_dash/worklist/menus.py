"""What a filter offers on screen: menus of options, each a link to the list it gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int | None
    on: bool
    url: str


@dataclass(frozen=True)
class Menu:
    name: str
    label: str
    on: bool
    options: tuple[Option, ...]
