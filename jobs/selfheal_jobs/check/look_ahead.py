"""Reads the next column while other threads prepare the last one for its test.

Arrow and NumPy let go of the interpreter's lock while they decode and sort. No more than two columns are held
at once: one that is being prepared, and one that is tested or read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.scan import Compared, Excluded
from selfheal_jobs.tables.content import Content

Read = Compared | Excluded
Prepare = Callable[[Content, Column], Content]


def read_ahead(columns: Iterable[Read], prepare: Prepare, threads: int) -> Iterator[Read]:
    """Yield columns in their order, both sides prepared.

    Args:
        columns: Reads a column each time that it is asked for one. What it raises is raised in the column's
            turn: after all columns before it have been yielded.
        prepare: Is called in other threads, with one side of a column.
        threads: How many. With one, nothing is read ahead.
    """
    reading = iter(columns)
    if threads < 2:
        while (ready := _next(reading, partial(_prepared, prepare))) is not None:
            yield ready()
            del ready  # with the column, before the next one is read
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Callable[[], Read]] = deque()
        while (ready := _next(reading, partial(_submitted, pool, prepare))) is not None:
            waiting.append(ready)
            if len(waiting) > 1:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()


def _next(reading: Iterator[Read], start: Callable[[Read], Callable[[], Read]]) -> Callable[[], Read] | None:
    """Read a column, and return a function that waits until it is prepared; None after the last one."""
    try:
        return start(next(reading))
    except StopIteration:
        return None
    except Exception as error:  # noqa: BLE001  raised in its turn
        return partial(_raise, error)


def _raise(error: Exception) -> Read:
    raise error


def _prepared(prepare: Prepare, found: Read) -> Callable[[], Read]:
    if isinstance(found, Compared):
        column = found.column
        found = Compared(column, prepare(found.reference, column), prepare(found.current, column))
    return lambda: found


def _submitted(pool: ThreadPoolExecutor, prepare: Prepare, found: Read) -> Callable[[], Read]:
    if isinstance(found, Excluded):
        return lambda: found
    sides = [pool.submit(prepare, side, found.column) for side in (found.reference, found.current)]
    # Not with `found`: what is not needed any more is let go.
    return partial(_joined, found.column, *sides)


def _joined(column: Column, reference: "Future[Content]", current: "Future[Content]") -> Read:
    return Compared(column, reference.result(), current.result())
