"""Fetches ahead of whoever takes the answers: some at once, handed over in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol, TypeVar

T = TypeVar("T")


class Ahead(Protocol):
    """Fetches in order, some of them before they are taken; closing the answers calls off what has not begun."""

    def __call__(self, fetches: Iterable[Callable[[], T]], /) -> Generator[T, None, None]: ...


def one_by_one(fetches: Iterable[Callable[[], T]]) -> Generator[T, None, None]:
    """Each when it is taken and not before."""
    for fetch in fetches:
        yield fetch()


class Fetchers:
    """`width` threads. Never asked from one of these threads themselves: it would wait for a thread to be free.

    `held` bounds how many answers wait to be taken or are on their way, and so the memory.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="athena")

    def ahead(
        self, fetches: Iterable[Callable[[], T]], *, held: int | None = None
    ) -> Generator[T, None, None]:
        """The first ones are on their way when this returns. An error comes up where its answer would have."""
        coming = iter(fetches)
        sent = deque(self._pool.submit(fetch) for fetch in islice(coming, held or self.width))
        return self._taken(sent, coming)

    def _taken(self, sent: deque[Future[T]], coming: Iterator[Callable[[], T]]) -> Generator[T, None, None]:
        try:
            while sent:
                answer = sent.popleft().result()
                sent.extend(self._pool.submit(fetch) for fetch in islice(coming, 1))
                yield answer
        finally:
            for future in sent:
                future.cancel()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
