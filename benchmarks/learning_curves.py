"""The learning curves of runs of `linnet train` in one picture: loss and error rate on dev by audio heard.

Reads what tensorboard shows (RUN/tensorboard). The hours of audio are summed up from the speed that a run
reports, repetitions included; steps that a resumed run took again count once.

Run: python benchmarks/learning_curves.py name=runs/a other=runs/b --output curves   (.png and .svg)
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator, ScalarEvent

from linnet.core.files import replacing

SPEED, LOSS = "audio_s_per_s", "loss"
ERROR_RATES = "dev_"  # begins the names of what is measured on dev sets
SMOOTHING = 0.02  # of the loss: the part of all points that a mean is taken over
BEYOND_ANY_STEP = 1 << 62


@dataclass(slots=True)
class Run:
    """What one run reported.

    Attributes:
        hours: of audio heard, by step.
        curves: (step, value) points by name.
    """

    hours: list[tuple[int, float]] = field(default_factory=lambda: [(0, 0.0)])
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Read the event files of a run, in the order of time; each begins where the run was resumed."""
        run = cls()
        files = sorted((path / "tensorboard").glob("events.out.tfevents.*"), key=lambda file: file.name)
        if not files:
            raise SystemExit(f"{path}: there are no events of tensorboard")
        for file in files:
            events = EventAccumulator(str(file), size_guidance={"scalars": 0})
            events.Reload()
            run._add({tag: events.Scalars(tag) for tag in events.Tags()["scalars"]})
        return run

    def _add(self, scalars: dict[str, list[ScalarEvent]]) -> None:
        every = [event for events in scalars.values() for event in events]
        first_step = min((event.step for event in every), default=BEYOND_ANY_STEP)
        self.hours = [point for point in self.hours if point[0] < first_step] or [(0, 0.0)]
        since_s = min((event.wall_time for event in every), default=0.0)
        for event in scalars.get(SPEED, ()):
            heard_h = event.value * (event.wall_time - since_s) / 3600
            self.hours.append((event.step, self.hours[-1][1] + heard_h))
            since_s = event.wall_time
        for tag, events in scalars.items():
            kept = [point for point in self.curves.get(tag, ()) if point[0] < first_step]
            self.curves[tag] = kept + [(event.step, event.value) for event in events]

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return hours and values of a curve, (n,) each."""
        steps, values = np.array(self.curves.get(name, np.zeros((0, 2)))).reshape(-1, 2).T
        known = np.array(self.hours)
        return np.interp(steps, known[:, 0], known[:, 1]), values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="[NAME=]RUN", help="output directories of linnet train")
    parser.add_argument("--output", type=Path, required=True, help="written with .png and .svg at its end")
    options = parser.parse_args()
    runs = {}
    for each in options.runs:
        name, sign, path = each.rpartition("=")
        runs[name if sign else Path(path).name] = Run.read(Path(path))
    draw(runs, options.output)
    for name, run in runs.items():
        hours, rates = run.curve("dev_wer")
        best = f", best dev WER {rates.min():.2%} at {hours[rates.argmin()]:.1f} h" if len(rates) else ""
        print(f"{name}: {run.hours[-1][0]} steps, {run.hours[-1][1]:.1f} h of audio{best}")


def draw(runs: dict[str, Run], output: Path) -> None:
    """Draw one panel for the loss and one for each error rate."""
    matplotlib.rcParams["svg.hashsalt"] = "linnet"  # the same picture is the same file
    rates = sorted({tag for run in runs.values() for tag in run.curves if tag.startswith(ERROR_RATES)})
    figure = Figure(figsize=(5.2 * (1 + len(rates)), 4), layout="constrained")
    panels = figure.subplots(1, 1 + len(rates), squeeze=False)[0]
    for name, run in runs.items():
        hours, losses = run.curve(LOSS)
        panels[0].plot(hours, smoothed(losses), label=name)
        for panel, rate in zip(panels[1:], rates, strict=True):
            hours, values = run.curve(rate)
            panel.plot(hours, 100 * values, marker=".", label=name)
    panels[0].set_ylabel("training loss")
    for panel, rate in zip(panels[1:], rates, strict=True):
        panel.set_ylabel(f"{rate.removeprefix(ERROR_RATES).upper()} on dev, greedy, in percent")
    for panel in panels:
        panel.set_xlabel("hours of audio heard")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    for form, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        with replacing(output.with_suffix(f".{form}")) as temporary:
            figure.savefig(temporary, format=form, dpi=120, metadata=metadata)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Return means over neighbors, (n,)."""
    reach = round(SMOOTHING * len(values) / 2)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)


if __name__ == "__main__":
    main()
