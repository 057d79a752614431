"""`linnet train`: one YAML file, `key.sub=value` overrides, and a run that can be left and taken up again."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import messages, print_result
from linnet.cli.imported import imported_source

if TYPE_CHECKING:
    from linnet.training.callbacks import TrainingStatus
    from linnet.training.run import TrainingResult


def train(
    config: Annotated[
        Path, typer.Argument(help="YAML file, such as recipes/digits/quartznet_5x1/config.yaml.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY.SUB=VALUE]...", help="Values that replace those of the file."),
    ] = None,
) -> None:
    """Train a model from a configuration.

    Checkpoints, TensorBoard logs and the complete configuration go to its output_dir. Ctrl-C saves; the
    same command with trainer.resume=true goes on. Example: linnet train config.yaml trainer.max_steps=500
    output_dir=runs/short. To start from a model: linnet train config.yaml init=runs/other/final.ckpt
    """
    from linnet.core.optional import require

    for module in ("torch", "lightning", "lhotse"):
        require(module, extra="train", purpose="training")
    from linnet.training.run import is_first_process
    from linnet.training.run import train as run
    from linnet.training.source import load_run

    asked = load_run(config, overrides or (), imported_source)
    try:
        with _progress() as report:
            result = run(asked.config, report, asked.source)
    except KeyboardInterrupt:
        others = [override for override in overrides or () if not override.startswith("trainer.resume=")]
        resume = shlex.join(["linnet", "train", str(config), *others, "trainer.resume=true"])
        messages.print(f"to go on: {resume}", soft_wrap=True, markup=False)
        raise
    if is_first_process():
        _show(result)


def _show(result: "TrainingResult") -> None:
    measure = result.measure
    print_result(f"best on dev:  {measure.shown(result.best_score)} {measure.name}  {result.best}")
    print_result(f"average:      {measure.shown(result.final_score)} {measure.name}  {result.final}")
    after = f"linnet export {result.final} DIR" if measure.is_rate else f"init.path={result.final}"
    print_result(f"next:         {after}")


@contextmanager
def _progress() -> Iterator[Callable[["TrainingStatus"], None]]:
    """Draw a bar on a terminal; write a line per report elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    if not messages.is_terminal:
        yield lambda status: messages.print(
            f"step {status.step}/{status.max_steps}  {_describe(status)}", soft_wrap=True
        )
        return
    columns = (TextColumn("step {task.completed}/{task.total}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=messages) as bar:
        task = bar.add_task("first steps", total=None)
        yield lambda status: bar.update(
            task, total=status.max_steps, completed=status.step, description=_describe(status)
        )


def _describe(status: "TrainingStatus") -> str:
    score = "–" if status.dev_score is None else status.measure.shown(status.dev_score)
    characters = "" if status.dev_cer is None else f"  CER {status.dev_cer:.2%}"
    minutes, seconds = divmod(round(status.left_s), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"loss {status.loss:.3f}  dev {status.measure.name} {score}{characters}  "
        f"lr {status.learning_rate:.2g}  {status.audio_s_per_s:.0f} audio-s/s  "
        f"{hours}:{minutes:02}:{seconds:02} left"
    )
