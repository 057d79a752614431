"""Runs a training several times over and kills it on the way, as test_resume.py asks; not a test itself.

Run: python killed_run.py PLAN.json, a list of {"config", "overrides", "kill"} where "kill" is null or names
the place and the number of the event there at which the process kills itself.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lhotse.dataset  # noqa: F401 (imported before the forks, so once)
import torch
import torch.utils.tensorboard

import linnet.training.callbacks as callbacks
from linnet.core.config import load_config
from linnet.training.config import TrainConfig
from linnet.training.module import CtcTraining
from linnet.training.run import train

PLACES = {
    "batch": (CtcTraining, "training_step"),  # also between the batches of one step
    "validation": (CtcTraining, "validation_step"),
    "validated": (callbacks.LastCheckpoints, "on_validation_end"),  # the best is saved, the last is not
    "saved": (callbacks.LastCheckpoints, "_save_recent"),
}


def main() -> None:
    for number, job in enumerate(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        child = os.fork()
        if not child:
            run(job)
        status = os.waitpid(child, 0)[1]
        expected = signal.SIGKILL if job["kill"] else 0
        if status != expected:
            sys.exit(f"job {number} ended with {status}, not {expected}")


def run(job: dict[str, Any]) -> None:
    """Train in this process, which does not return."""
    torch.set_num_threads(1)
    if job["kill"]:
        place, number = job["kill"]
        kill_at(number, *PLACES[place], after=place == "saved")
    train(load_config(TrainConfig, Path(job["config"]), job["overrides"]), lambda status: None)
    sys.stderr.flush()
    os._exit(0)


def kill_at(number: int, owner: type, name: str, *, after: bool) -> None:
    """Kill this process at the call of that number since its start."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def killing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, killing)


if __name__ == "__main__":
    main()
