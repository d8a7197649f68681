"""Has the C library keep memory that was freed, for the next column.

A check asks for the memory of a column again and again. By default glibc gives large blocks back to the
kernel at once, and the kernel fills every page with zeros before it hands it out again: of a hundred columns
of 100,000 numbers that takes as long as to sort them.
"""

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""mallopt's names for its parameters, in malloc.h."""
_LARGEST_REUSED: Final = 4 << 20
"""A column of half a million numbers. Larger ones are given back: few of them are most of the memory."""
_KEPT: Final = 256 << 20
"""Of what is free at the end of the heap. What was never asked for is not kept."""


def reuse_freed_memory() -> None:
    """Set this for the process; do nothing where the C library is another one."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_REUSED)
    mallopt(_TRIM_THRESHOLD, _KEPT)
