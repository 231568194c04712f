"""Cuts JSON bytes into the bytes of its members or elements, exactly as received, without reading them.

msgspec does it at 1 GB/s but refuses the whole text for one lone surrogate, raw control character or bad
token; then a scanner that only knows strings and brackets cuts it, so that one bad record spoils itself
and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},:]', re.DOTALL)
_CLOSES = {b"]": b"[", b"}": b"{"}
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


class MalformedJson(ValueError):
    """The brackets or quotes do not match, or it is not the kind of value asked for."""


def trimmed(body: bytes) -> bytes:
    text = body[len(_BOM) :] if body.startswith(_BOM) else body  # removeprefix copies a page that has none
    return text.strip(_BLANK)


def object_members(raw: bytes) -> dict[str, bytes]:
    """Name → value bytes. Of a duplicated name the last wins, as everywhere in this program."""
    try:
        return {name: bytes(value) for name, value in _members.decode(raw).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {_name(pair): pair[1] for pair in _pairs(trimmed(raw))}


def array_elements(raw: bytes) -> list[bytes]:
    try:
        return list(map(bytes, _elements.decode(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return list(_children(trimmed(raw), b"["))


def _name(pair: tuple[bytes, bytes]) -> str:
    return pair[0].strip(b'"').decode("utf-8", "backslashreplace")


def _pairs(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for child in _children(raw, b"{"):
        name = _TOKEN.match(child)
        rest = child[name.end() :].lstrip(_BLANK) if name else b""
        if name is None or len(name.group()) < 2 or not rest.startswith(b":"):
            raise MalformedJson("a member without a name")
        yield name.group(), rest[1:].strip(_BLANK)


def _children(raw: bytes, opener: bytes) -> Iterator[bytes]:
    """The comma-separated parts between the outermost brackets."""
    if not raw.startswith(opener):
        raise MalformedJson("another kind of value")
    open_brackets: list[bytes] = []
    start = 1
    for token in _TOKEN.finditer(raw):
        mark = token.group()
        if mark in (b"[", b"{"):
            open_brackets.append(mark)
        elif mark in _CLOSES:
            if not open_brackets or open_brackets.pop() != _CLOSES[mark]:
                raise MalformedJson("brackets do not match")
            if not open_brackets:
                if raw[token.end() :].strip(_BLANK):
                    raise MalformedJson("text after the end")
                last = raw[start : token.start()].strip(_BLANK)
                if last or start > 1:
                    yield last
                return
        elif mark == b"," and len(open_brackets) == 1:
            yield raw[start : token.start()].strip(_BLANK)
            start = token.end()
        elif mark == b'"':
            raise MalformedJson("a string without an end")
    raise MalformedJson("it ends in the middle")
