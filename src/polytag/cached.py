"""`functools.cached_property` as it is from Python 3.12 on: without a lock.

Before, one lock served all objects of a class: threads waited for each other, and a child process that was forked while
another thread held it waited for good.
"""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class cached_property(Generic[T]):  # noqa: N801
    """A property that is computed when it is first asked for; by two threads at once, it may be computed twice."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            return self
        found = vars(instance)[self._name] = self._compute(instance)  # found there from now on, without coming here
        return found
