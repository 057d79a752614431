"""`linnet evaluate`: the word error rate of a model on a manifest, and the recipe behind the figure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from linnet.cli.config_options import options_from
from linnet.cli.console import (
    EXIT_SOME_FAILED,
    print_result,
    print_warning,
    printable,
    progress_bar,
    results,
)
from linnet.runtime.search_config import SearchConfig

if TYPE_CHECKING:
    from linnet.core.protocols import SpeechRecognizer
    from linnet.evaluation.report import EvaluationReport, UtteranceResult
    from linnet.metrics.error_rate import ErrorCounts

GREEDY = "the likeliest token of each moment"
MIN_COLUMNS = 20  # of an alignment, on the narrowest terminal


class IntervalOver(StrEnum):
    """What the bootstrap draws."""

    UTTERANCE = "utterance"
    SPEAKER = "speaker"


@options_from(SearchConfig, "search")
def evaluate(
    manifest: Annotated[
        str, typer.Argument(help="JSON lines with audio_filepath, duration and text; a path or a URL.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="Name of a packaged model, directory of a bundle, .ckpt or .nemo file."
        ),
    ],
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the report here.")] = None,
    normalizer: Annotated[
        str | None, typer.Option(help="Text normalizer; default: the one the model was trained with.")
    ] = None,
    interval_over: Annotated[
        IntervalOver, typer.Option(help="Draw utterances or whole speakers for the interval.")
    ] = IntervalOver.UTTERANCE,
    hypotheses: Annotated[
        Path | None, typer.Option(help="Write the manifest again here, with pred_text in each line.")
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Fit the confidences to this manifest, and keep the scale in the bundle."
        ),
    ] = False,
    *,
    search: SearchConfig,
) -> None:
    """Measure the word error rate of a model on a manifest.

    Bundles are read as `linnet transcribe` reads them: with the language model they may bring where the extra
    `beam` is installed, unless --no-lm says otherwise.
    """
    from linnet.core.errors import ManifestError
    from linnet.evaluation.evaluate import evaluate as evaluate_utterances
    from linnet.evaluation.options import EvaluationOptions
    from linnet.manifest.jsonl import scan_manifest

    _check_outputs(manifest, [path for path in (json_path, hypotheses) if path is not None])
    bundle = _bundle_to_calibrate(model) if calibrate else None
    options = EvaluationOptions.model_validate(
        {"normalizer": normalizer, "interval_over": interval_over.value}
    )
    read = scan_manifest(manifest)
    problems = [str(problem) for problem in read.problems]
    if not read.utterances:
        raise ManifestError(
            problems[0] if problems else "there is no utterance",
            where=manifest,
            remedy="linnet doctor names all that is wrong with a manifest",
        )
    recognizer, decoding = _load_recognizer(model, search)
    with progress_bar("utterances") as bar:
        task = bar.add_task("evaluate", total=len(read.utterances))
        report = evaluate_utterances(
            recognizer, read.utterances, options, lambda done, _: bar.update(task, completed=done)
        )
    _print_report(report, decoding)
    if json_path:
        told = {"manifest": manifest, "manifest_problems": problems, "decoding": decoding}
        _write_json(json_path, report, told)
    if hypotheses:
        _write_hypotheses(hypotheses, report)
    if bundle:
        _calibrate(bundle, report)
    failures = problems + [
        _with_place(failure.utterance.audio, failure.reason) for failure in report.failures
    ]
    for failure in failures:
        print_warning(f"left out: {failure}")
    if failures:
        raise typer.Exit(EXIT_SOME_FAILED)


def _check_outputs(manifest: str, outputs: Sequence[Path]) -> None:
    from linnet.core.errors import ConfigError

    for number, output in enumerate(outputs):
        if output.resolve() in [path.resolve() for path in (Path(manifest), *outputs[:number])]:
            raise ConfigError(
                f"{output} would overwrite the manifest or the other output", remedy="Name another file"
            )


def _bundle_to_calibrate(model: str) -> Path:
    """Name the bundle that a temperature may be written into: the user's own, not one inside the package."""
    from linnet.bundle.schema import SPEC_FILE
    from linnet.core.errors import ConfigError
    from linnet.runtime.packaged import packaged_models

    if model in packaged_models() or not (Path(model) / SPEC_FILE).is_file():
        raise ConfigError(
            f"--calibrate writes into a bundle, and {model!r} is not the directory of one",
            remedy="Export or copy the model into a directory first",
        )
    return Path(model)


def _calibrate(bundle: Path, report: "EvaluationReport") -> None:
    """Fit the temperature on top of the bundle's own, write it, and say what it changes here."""
    from linnet.bundle.reader import read_bundle
    from linnet.bundle.writer import update_bundle
    from linnet.core.errors import ConfigError
    from linnet.decoding.confidence import tempered
    from linnet.metrics.calibration import calibration, fit_temperature

    confidences, right = report.judged_words()
    if report.calibration.ranking is None:
        raise ConfigError(
            f"{sum(right)} of {len(right)} words are right, which leaves nothing to calibrate on",
            remedy="Take a harder or larger manifest, on which the model is right and wrong",
        )
    factor = fit_temperature(confidences, right)
    before, after = report.calibration, calibration([tempered(each, factor) for each in confidences], right)
    if before.error is None or after.error is None or after.error >= before.error:
        print_result(
            "calibrated    no temperature lowers the calibration error here; the bundle stays as it is"
        )
        return
    spec = read_bundle(bundle).spec
    temperature = round(spec.confidence_temperature * factor, 4)
    update_bundle(
        bundle,
        confidence_temperature=min(max(temperature, 0.01), 100.0),
        min_confidence=round(tempered(spec.min_confidence, factor), 4),
    )
    print_result(
        f"calibrated    temperature {temperature:g} kept in {printable(str(bundle))}: "
        f"ECE {before.error:.2%} before, {after.error:.2%} after"
    )


def _load_recognizer(model: str, search: SearchConfig) -> "tuple[SpeechRecognizer, str]":
    """Load a model of any kind; returns it and how it finds its texts."""
    if model.endswith(".ckpt"):
        from linnet.core.errors import ConfigError
        from linnet.core.optional import require

        if search.is_wanted:
            raise ConfigError(
                "a checkpoint is read without a search", remedy="Export it first: linnet export"
            )

        require("torch", extra="train", purpose="a checkpoint")
        from linnet.models.recognizer import CheckpointRecognizer

        return CheckpointRecognizer.load(Path(model)), GREEDY
    from linnet.cli.imported import runnable_model
    from linnet.runtime.recognizer import Recognizer

    recognizer = Recognizer.load(runnable_model(model), search=search)
    return recognizer, recognizer.search.config.summary if recognizer.search else GREEDY


def _with_place(audio: str, reason: str) -> str:
    return reason if audio in reason else f"{audio}: {reason}"


def _write_json(path: Path, report: "EvaluationReport", facts: dict[str, Any]) -> None:
    import json

    from linnet.core.files import write_text

    content = report.to_dict() | facts
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _write_hypotheses(path: Path, report: "EvaluationReport") -> None:
    from dataclasses import replace

    from linnet.manifest.jsonl import write_manifest

    write_manifest(
        path,
        (
            replace(result.utterance, extra=result.utterance.extra | {"pred_text": result.transcript.text})
            for result in report.results
        ),
    )


def _print_report(report: "EvaluationReport", decoding: str) -> None:
    from linnet.evaluation.rendering import facts

    table = Table(
        "", "rate", "substituted", "deleted", "inserted", "of", box=None, pad_edge=False, header_style="bold"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("words (WER)", *_cells(report.words))
    table.add_row("characters (CER)", *_cells(report.characters))
    table.add_row("words, not normalized", *_cells(report.raw_words))
    results.print(table)
    print_result("")
    for label, value in (facts(report) | {"decoding": decoding}).items():
        print_result(f"{label:<14}{printable(value)}")
    for result in report.worst:
        _print_alignment(result)


def _cells(counts: "ErrorCounts") -> Iterator[str]:
    yield f"{counts.rate:.2%}" if counts.reference_length else "-"
    for count in (counts.substitutions, counts.deletions, counts.insertions, counts.reference_length):
        yield str(count)


def _print_alignment(result: "UtteranceResult") -> None:
    from linnet.evaluation.rendering import aligned_lines

    place = f" at {result.utterance.offset_s:g} s" if result.utterance.offset_s else ""
    errors = f"{result.words.errors} errors, {result.words.reference_length} words"
    print_result(f"\n{printable(result.utterance.audio)}{place}: {errors}")
    for lines in aligned_lines(result.align(), max(MIN_COLUMNS, results.width - 6)):
        for label, line in zip(("REF", "HYP", ""), lines, strict=True):
            print_result(f"  {label:<3} {printable(line)}")
