"""`linnet lm tune`: the weights with which a language model reads a dev set best."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import EXIT_SOME_FAILED, ModelOption, print_error, print_result, progress_bar

if TYPE_CHECKING:
    from linnet.core.arrays import LogProbs
    from linnet.manifest.utterance import Utterance
    from linnet.runtime.recognizer import Recognizer


def tune(
    lm: Annotated[Path, typer.Argument(help="Packed language model of linnet lm build or import.")],
    manifest: Annotated[
        str, typer.Option(help="Dev set: JSON lines with audio_filepath, duration and text.")
    ],
    model: ModelOption = None,
    beam: Annotated[int, typer.Option(min=1, max=4096, help="Texts searched side by side.")] = 64,
    unknown: Annotated[
        float, typer.Option(max=0.0, help="Added for each word that the language model does not know.")
    ] = -10.0,
    blank_penalty: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Taken from the blank's log-prob in every frame.")
    ] = 0.0,
) -> None:
    """Find the --alpha and --beta with which transcribe reads a dev set best.

    The network runs once; then 33 pairs of weights are tried. Tune on speech that is not the test set.
    """
    from linnet.cli.imported import runnable_model
    from linnet.core.errors import ManifestError
    from linnet.decoding.beam import BeamConfig
    from linnet.decoding.language_model import LanguageModel
    from linnet.evaluation.tuning import NUM_TRIALS, best_of, search_reader, try_weights
    from linnet.manifest.jsonl import scan_manifest
    from linnet.runtime.packaged import DEFAULT_MODEL
    from linnet.runtime.recognizer import Recognizer
    from linnet.runtime.search_config import SearchConfig
    from linnet.text.normalize import normalize

    read = scan_manifest(manifest)
    greedy = SearchConfig(no_lm=True)
    recognizer = Recognizer.load(runnable_model(model) if model else DEFAULT_MODEL, search=greedy)
    language_model = LanguageModel.load(lm, recognizer.bundle.vocabulary)
    failed = len(read.problems)
    for problem in read.problems:
        print_error(str(problem))
    scored = _log_probs(recognizer, read.utterances)
    failed += len(read.utterances) - len(scored)
    if not scored:
        raise ManifestError(
            "there is no utterance to tune on",
            where=manifest,
            remedy="linnet doctor names all that is wrong with a manifest",
        )
    references = [normalize(utterance.text or "", recognizer.normalizer) for utterance, _ in scored]
    config = BeamConfig(beam=beam, unknown=unknown, blank_penalty=blank_penalty)
    reader = search_reader([each for _, each in scored], recognizer.bundle.vocabulary, language_model, config)
    trials = []
    with progress_bar("pairs of weights") as bar:
        task = bar.add_task("tune", total=NUM_TRIALS)
        for trial in try_weights(reader, references):
            trials.append(trial)
            bar.advance(task)
    print_result("alpha   beta      WER")
    for trial in sorted(trials, key=lambda trial: (trial.alpha, trial.beta)):
        print_result(f"{trial.alpha:5.2f}  {trial.beta:5.2f}  {trial.words.rate:7.2%}")
    best = best_of(trials)
    print_result(f"best: --alpha {best.alpha:g} --beta {best.beta:g}, {best.words.rate:.2%} WER")
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _log_probs(
    recognizer: "Recognizer", utterances: "list[Utterance]"
) -> "list[tuple[Utterance, list[LogProbs]]]":
    """Run the network over each utterance; those that cannot be read are named and left out."""
    from linnet.evaluation.evaluate import load_samples
    from linnet.evaluation.report import Failure

    found = []
    with progress_bar("utterances") as bar:
        for utterance in bar.track(utterances, description="listen"):
            samples = load_samples(utterance, recognizer.sample_rate_hz)
            if isinstance(samples, Failure):
                print_error(f"{utterance.audio}: {samples.reason}")
                continue
            found.append((utterance, [each for _, each in recognizer.segment_log_probs([samples])]))
    return found
