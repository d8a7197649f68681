"""Reads the next column while other threads prepare the last one for its test.

Arrow and NumPy release the GIL while they decode and sort. At most two columns are in memory at once: one
that is being prepared, and one that is tested or read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.scan import Compared, Excluded
from selfheal_jobs.tables.content import Content, Values

Read = Compared | Excluded
Prepare = Callable[[Content, Column], Content]


def read_ahead(columns: Iterable[Read], prepare: Prepare, threads: int) -> Iterator[Read]:
    """Yield columns in their order, both sides prepared.

    Args:
        columns: Reads one column per iteration. An error is raised in the order of the columns: after all
            earlier columns have been yielded.
        prepare: Called in other threads, with one side of a column.
        threads: The number of threads. With one, nothing is read ahead.
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
    except Exception as error:  # noqa: BLE001  raised later, in order
        return partial(_raise, error)


def _raise(error: Exception) -> Read:
    raise error


def _prepared(prepare: Prepare, found: Read) -> Callable[[], Read]:
    if isinstance(found, Compared):
        column = found.column
        sides = prepare(found.reference, column), prepare(found.current, column)
        found = replace(found, reference=sides[0], current=sides[1])
    return lambda: found


def _submitted(pool: ThreadPoolExecutor, prepare: Prepare, found: Read) -> Callable[[], Read]:
    if isinstance(found, Excluded):
        return lambda: found
    sides = [pool.submit(prepare, side, found.column) for side in (found.reference, found.current)]
    # Without a reference to the sides of `found`, so that their memory is freed.
    nothing = Content(holds=Values.NOTHING)
    return partial(_joined, replace(found, reference=nothing, current=nothing), *sides)


def _joined(found: Compared, reference: "Future[Content]", current: "Future[Content]") -> Read:
    return replace(found, reference=reference.result(), current=current.result())
