"""Configures glibc's malloc to reuse freed memory for the next column.

A check allocates the memory of a column again and again. By default glibc returns large blocks to the kernel
at once, and the kernel zeroes every page before it hands it out again: for a hundred columns of 100,000
numbers this takes as long as sorting them.
"""

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""mallopt's names for its parameters, in malloc.h."""
_LARGEST_REUSED: Final = 4 << 20
"""Bytes of half a million numbers. Larger blocks are returned: a few of them make up most of the memory."""
_KEPT: Final = 256 << 20
"""Bytes that may stay free at the end of the heap. This only keeps memory that was once allocated."""


def reuse_freed_memory() -> None:
    """Configure malloc for this process; do nothing if the C library is not glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_REUSED)
    mallopt(_TRIM_THRESHOLD, _KEPT)
