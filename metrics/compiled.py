"""The one door to the compiler: kernels over note columns, with a compile cache on disk.

Conventions
-----------
- A kernel takes contiguous int64, float64 or bool arrays, so that one version of it is compiled.
- A kernel may call kernels of other files, which it imports by name: the cache watches the files
  of all kernels that a file can reach, where numba's own watches one.
- The cache lies beside the source, or in the user's cache folder where that is read-only; where
  neither can be written, every process compiles for itself.
- numba is imported with the first kernel that runs, not with the metrics.
- A kernel sums, counts and searches in loops of its own: numba's versions of numpy's ``sum``,
  ``max``, ``any``, ``searchsorted`` and the like import scipy.linalg with the first such kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import update_wrapper
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_turn: list[AbstractContextManager[Any]] = [nullcontext()]


def compiled(function: F) -> F:
    """The function compiled on its first call, and from the disk cache after that.

    >>> @compiled
    ... def twice(x: int) -> int:
    ...     return 2 * x
    >>> twice.py_func(4)
    8
    """
    return cast(F, _Kernel(function))


def emitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Something that kernels call and that writes its own machine code: the function is one that
    ``numba.extending.intrinsic`` takes, with its types and its code, and is made one when a kernel
    of a file that imports it is compiled."""
    return _Emitted(function)


def compile_in_turn(turn: AbstractContextManager[Any]) -> None:
    """Lets this process compile only while it holds ``turn``, which other processes share, so
    that what one has compiled the others find in the cache. Kernels in the cache do not wait.

    ``turn`` must be re-entrant, since a kernel compiles those that it calls.
    """
    _turn[0] = turn


class _Kernel:
    """Stands for a kernel until its first call, or until one is compiled that may call it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._compiled: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return (self._compiled or self._made())(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._made(), name)

    def _made(self) -> Any:
        """numba's own object, which also takes this one's place in its module."""
        if self._compiled is None:
            names = self.py_func.__globals__
            self._compiled = _dispatcher(self.py_func)
            if names.get(self.py_func.__name__) is self:
                names[self.py_func.__name__] = self._compiled
            if not isinstance(getattr(self._compiled, "_cache", None), _Turns):
                _settle(self.py_func)  # it is compiled now
        return self._compiled


def _settle(function: Callable[..., Any]) -> None:
    """Puts numba's own objects in the place of all that stand for them in a kernel's file, where
    numba looks for what the kernel calls. A kernel that is in the cache needs none of them."""
    names = function.__globals__
    for name, value in list(names.items()):
        if isinstance(value, _Kernel):
            names[name] = value._made()


class _Emitted(_Kernel):
    def _made(self) -> Any:
        if self._compiled is None:
            from numba.extending import intrinsic

            self._compiled = intrinsic(self.py_func)
            self._compiled.py_func = self.py_func  # where :func:`_of_other_files` finds its file
        return self._compiled


def _dispatcher(function: Callable[..., Any]) -> Any:
    import numba

    file = function.__code__.co_filename
    on_disk = function.__module__ != "__main__" and not file.startswith("<")
    try:
        made = numba.njit(function, cache=on_disk)
    except RuntimeError:  # no folder for the cache
        return numba.njit(function)
    if on_disk and hasattr(made, "_cache"):
        _watch(made._cache, function)
        made._cache = _Turns(made._cache, function)
    return made


def _watch(kept: Any, function: Callable[..., Any]) -> None:
    """Makes numba's cache of a kernel stale when a file changes that it takes kernels from."""
    others = _of_other_files(function, {function.__code__.co_filename})
    entries: Any = getattr(kept, "_cache_file", None)
    if others and hasattr(entries, "_source_stamp"):
        stamps = [type(kept)(other)._cache_file._source_stamp for other in others]
        entries._source_stamp = (entries._source_stamp, tuple(stamps))


def _of_other_files(function: Callable[..., Any], seen: set[str]) -> list[Callable[..., Any]]:
    """One kernel of each other file whose kernels this one's file holds, and of theirs."""
    found: list[Callable[..., Any]] = []
    for value in function.__globals__.values():
        other: Any = getattr(value, "py_func", None)
        if other is not None and other.__code__.co_filename not in seen:
            seen.add(other.__code__.co_filename)
            found += [other, *_of_other_files(other, seen)]
    return found


class _Turns:
    """numba's cache of one kernel, read first, its gaps filled by one process at a time."""

    def __init__(self, kept: Any, function: Callable[..., Any]) -> None:
        self._kept = kept
        self._function = function
        self._waiting: list[AbstractContextManager[Any]] = []

    def load_overload(self, signature: Any, target: Any) -> Any:
        found = self._read(signature, target)
        if found is None:
            turn = _turn[0]
            turn.__enter__()
            found = self._kept.load_overload(signature, target)
            if found is None:
                _settle(self._function)
                self._waiting.append(turn)
            else:
                turn.__exit__(None, None, None)
        return found

    def _read(self, signature: Any, target: Any) -> Any:
        """What the cache holds, got ready to run but not to compile: that takes longer than
        reading all kernels, and numba does it again where something is missing.

        These are numba's inner parts: in a version that has none of the kind every kernel takes
        its turn, and is read then."""
        try:
            from numba.core.runtime.nrt import rtsys

            rtsys.initialize(target)
            return self._kept._load_overload(signature, target)
        except (ImportError, AttributeError, TypeError, OSError):
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        try:
            self._kept.save_overload(signature, data)
        finally:
            if self._waiting:
                self._waiting.pop().__exit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)
