"""Work in several processes: in order, in bounded memory, and only where it is worth starting them."""

import os
import time

import pytest

from maskaae.data import decode
from maskaae.data.decode import Workers


def process_of(task):
    return task, os.getpid()


def fail_at_five(task):
    if task == 5:
        raise ValueError("five")
    return task


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(decode, "PATIENCE", 0)


def test_work_of_less_time_than_processes_take_to_start_is_done_in_this_one():
    with Workers(2) as workers:
        assert list(workers.map(process_of, range(50))) == [(task, os.getpid()) for task in range(50)]


def test_longer_work_is_shared_out_and_comes_back_in_order(impatient):
    with Workers(2) as workers:
        first, second = (list(workers.map(process_of, range(20))) for _ in range(2))
    assert [task for task, _ in first] == [task for task, _ in second] == list(range(20))
    elsewhere = {process for _, process in [*first[1:], *second]}
    assert os.getpid() not in elsewhere and len(elsewhere) <= 2, "the same processes do all of it"


def test_tasks_are_drawn_only_as_fast_as_they_are_worked_off(impatient):
    drawn = []

    def tasks():
        for task in range(1000):
            drawn.append(task)
            yield task

    with Workers(2) as workers:
        results = workers.map(process_of, tasks())
        for _ in range(10):
            next(results)
        assert len(drawn) < 20


def test_error_of_a_task_ends_the_work_at_once(impatient):
    start = time.monotonic()
    with pytest.raises(ValueError, match="five"), Workers(2) as workers:
        list(workers.map(fail_at_five, iter(range(10**9))))
    assert time.monotonic() - start < 60
