"""The one door to the compiler: kernels over note columns, with a compile cache on disk.

Conventions
-----------
- A kernel takes contiguous int64, float64 or bool arrays, so that one version of it is compiled.
- A kernel calls kernels of its own file only: numba's cache watches one source file.
- The cache lies beside the source, or in the user's cache folder where that is read-only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled on its first call, and from the disk cache after that.

    >>> @compiled
    ... def twice(x: int) -> int:
    ...     return 2 * x
    >>> twice.py_func(4)
    8
    """
    return cast(
        F, numba.njit(function, cache=function.__module__ != "__main__" and _on_disk(function))
    )


def _on_disk(function: Callable[..., Any]) -> bool:
    """Whether the function's source is a file, which the cache needs."""
    return not function.__code__.co_filename.startswith("<")
