"""Processes many items concurrently, and prints progress."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from selfheal_bench.arena import say

T = TypeVar("T")

WIDTH: Final = 48
TELL_SECONDS: Final = 10.0


async def for_each(what: str, items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> float:
    """Do the work for each item, `WIDTH` at a time; return the seconds it took."""
    todo = list(items)
    waiting = iter(todo)
    began = told = time.monotonic()
    done = 0

    async def worker() -> None:
        nonlocal done, told
        for item in waiting:
            await work(item)
            done += 1
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                say(f"{what}: {done} of {len(todo)}")

    async with asyncio.TaskGroup() as group:
        for _ in range(WIDTH):
            group.create_task(worker())
    seconds = time.monotonic() - began
    say(f"{what}: {len(todo)} in {seconds:.1f} s")
    return seconds
