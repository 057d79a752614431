"""Tasks in several processes: the same answers, and a crash that costs one item."""

from functools import partial
from multiprocessing import active_children

import pytest

from linnet.core.errors import AudioError
from linnet.runtime.workers import run_tasks

EVALUATE = partial(partial, eval)  # a task that stands for any other: it can answer, raise and crash


def test_one_process_is_this_one() -> None:
    import os

    assert list(run_tasks(EVALUATE, ["__import__('os').getpid()"])) == [(0, os.getpid())]


def test_several_processes_answer_raise_and_crash() -> None:
    items = ["1 + 1", "1 / 0", "__import__('os')._exit(7)", "'last'"]
    found = dict(run_tasks(EVALUATE, items, num_processes=2))
    assert (found[0], found[3]) == (2, "last")
    assert isinstance(found[1], ZeroDivisionError)
    assert isinstance(found[2], AudioError)
    assert "ended with 7" in str(found[2])
    assert active_children() == []


def test_leaving_early_ends_the_processes() -> None:
    results = run_tasks(EVALUATE, ["1", "__import__('time').sleep(1000)"], num_processes=2)
    assert next(results) == (0, 1)
    results.close()
    assert active_children() == []


def test_a_task_that_cannot_be_made_is_said_once() -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_tasks(partial(eval, "1 / 0"), ["1", "2"], num_processes=2))
    assert active_children() == []
