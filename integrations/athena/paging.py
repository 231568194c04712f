"""Walks a list page by page: by offset, by draining a changed feed, or by FHIR's cursor link.

athenahealth only says where to go on; what is asked, of whom and for which practice stays ours. A `next`
that points elsewhere, backwards or without end is an InvalidResponse. There is no snapshot across pages:
rows may repeat or slip between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from .ahead import Ahead, one_by_one
from .errors import InvalidResponse
from .page import Page

MOST_PAGES = 10_000


def by_offset(fetch: Callable[[int], Page], path: str, ahead: Ahead = one_by_one) -> Iterator[Page]:
    """`fetch(offset)` until no `next`. Only the offset is taken from it: v1 upper-cases the names of our
    parameters there and adds its own.

    The first page tells how long a page is and how many rows there are, so the others are asked for `ahead`, as
    long as each page goes on where the one before said it would.
    """
    offset = step = 0
    coming = none_coming()
    try:
        for _ in range(MOST_PAGES):
            page = next(coming, None) or fetch(offset)
            try:
                following = offset_after(page, offset, path)
            except InvalidResponse:
                yield page  # its records are as good as any
                raise
            if following is None:
                yield page
                return
            if not offset and page.total:
                step = following
                coming = ahead(
                    partial(fetch, at) for at in range(step, min(page.total, step * MOST_PAGES), step)
                )
            elif following != offset + step:
                coming.close()
                coming = none_coming()
            yield page
            offset = following
    finally:
        coming.close()
    raise InvalidResponse(f"the list does not end after {MOST_PAGES} pages")


def offset_after(page: Page, offset: int, path: str) -> int | None:
    if page.next is None:
        return None
    following = next_offset(page.next, path)
    if following <= offset:
        raise InvalidResponse("athenahealth's pages go round in a circle")
    if not page.items:
        raise InvalidResponse("athenahealth sent an empty page and says there is more")
    return following


def none_coming() -> Generator[Page, None, None]:
    yield from ()


def until_empty(fetch: Callable[[], Page]) -> Iterator[Page]:
    """The first page again and again: rows leave a changed feed as they are read, so an increasing offset
    would skip as many as it moves. The caller must have kept a page before it asks for the next."""
    for _ in range(MOST_PAGES):
        page = fetch()
        if not page.items:
            return
        yield page
    raise InvalidResponse(f"the changed feed is not empty after {MOST_PAGES} pages")


def by_cursor(
    first: Page, follow: Callable[[list[tuple[str, str]]], Page], origin: str, path: str
) -> Iterator[Page]:
    """FHIR: `follow(parameters)` of each `link[relation=next]`, which must stay on the same search."""
    page = first
    followed: set[str] = set()
    for _ in range(MOST_PAGES):
        yield page
        if page.next is None:
            return
        if page.next in followed:
            raise InvalidResponse("athenahealth's pages go round in a circle")
        followed.add(page.next)
        page = follow(next_parameters(page.next, origin, path))
    raise InvalidResponse(f"the list does not end after {MOST_PAGES} pages")


def next_offset(link: str, path: str) -> int:
    for name, value in _query(link, "", path):
        if name.lower() == "offset" and value.isascii() and value.isdigit() and len(value) < 12:
            return int(value)
    raise InvalidResponse("athenahealth's link to the next page has no offset")


def next_parameters(link: str, origin: str, path: str) -> list[tuple[str, str]]:
    return _query(link, origin, path)


def _query(link: str, origin: str, path: str) -> list[tuple[str, str]]:
    """The link's parameters, if it is relative or of our origin, and of the very path that was asked."""
    try:
        parts = urlsplit(link)
        stated = f"{parts.scheme}://{parts.netloc}" if parts.scheme or parts.netloc else ""
        if stated not in ("", origin) or parts.path != path:
            raise InvalidResponse("athenahealth's link to the next page leads elsewhere")
        return parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise InvalidResponse("athenahealth's link to the next page is unreadable") from None
