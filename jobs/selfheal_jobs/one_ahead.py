"""Works out the next value in a thread of its own, while the present one is used."""

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, cast

_T = TypeVar("_T")

_END: Final = object()


def one_ahead(values: Iterable[_T]) -> Generator[_T, None, None]:
    """Yield the same values in the same order, and raise what their iterator raises, where it does.

    No more than one value is kept ready. The thread ends with the iterator: close it, or come to its end.
    """
    iterator = iter(values)
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, iterator, _END)
        while (value := following.result()) is not _END:
            following = thread.submit(next, iterator, _END)
            yield cast("_T", value)
            del value  # else it would be kept while the next one is waited for
