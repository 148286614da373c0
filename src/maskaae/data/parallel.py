"""Spreading work over processes, in order and in bounded memory."""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# Enough tasks in flight to keep every process busy, few enough to fit in memory.
_IN_FLIGHT_PER_WORKER = 2


def map_in_order(function: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Apply `function` to every task in `workers` processes; yield the results in the tasks' order.

    Parameters
    ----------
    function : callable
        Defined at the top of a module, so that another process can import it.
    tasks : iterable
        Drawn only as fast as they are worked off.
    workers : int
        Processes; with 1 the work is done in this one.

    Yields
    ------
    result
        `function(task)`, or its exception.
    """
    if workers == 1:
        yield from map(function, tasks)
        return
    # Not `fork`: it copies a process whose other threads (BLAS, torch) may hold locks.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        pending: deque[Future[Result]] = deque()
        for task in tasks:
            pending.append(pool.submit(function, task))
            if len(pending) > _IN_FLIGHT_PER_WORKER * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def chunked(items: Iterable[Task], size: int) -> Iterator[list[Task]]:
    """Cut `items` into lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
