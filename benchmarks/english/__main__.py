"""An English model beside pocketsphinx: error rates by set, condition and speakers, babble, speed, size.

Every recognizer hears the same samples, one recording at a time, on one thread. Intervals are the
bootstrap's, over speakers where a set has ten or more, else over utterances.

Run (pocketsphinx is left out where it is not installed):
    pip install pocketsphinx==5.1.1
    python benchmarks/english --model BUNDLE --set "dev=data/dev.jsonl" --noise data/noise --output english
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # where header.py is

import numpy as np
from conditions import CLEAN, Degrade, conditions
from groups import groups_of, speaker_pitches
from header import print_header, processor
from no_speech import DURATION_S, sounds
from readers import LinnetReader, PocketsphinxReader, Reader
from scores import Scores, markdown

from linnet.bundle.reader import read_bundle
from linnet.cli.console import progress_bar
from linnet.core.arrays import Samples
from linnet.core.files import write_text
from linnet.core.optional import is_installed
from linnet.evaluation.evaluate import load_samples
from linnet.evaluation.report import Failure
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance
from linnet.runtime.packaged import find_model
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig

RATE_HZ = 16_000
NORMALIZER = "basic"
PACKAGES = ("linnet", "numpy", "onnxruntime")


def main() -> None:
    options = _options()
    rival = is_installed("pocketsphinx") and not options.no_pocketsphinx
    packages = (
        *PACKAGES,
        *(["numba"] if is_installed("numba") else []),
        *(["pocketsphinx"] if rival else []),
    )
    print_header(
        *packages,
        settings=f"seed {options.seed}, at most {options.limit or 'all'} utterances of a set where not clean",
        measure="WER and CER in percent with 95 % intervals; RTF by processor time, one thread",
    )
    readers = _readers(options, rival=rival)
    if not rival:
        print(
            "pocketsphinx is left out: "
            + ("--no-pocketsphinx" if options.no_pocketsphinx else "not installed")
        )
    degrades = conditions(options.noise, options.rooms, options.seed)
    degrades = {name: each for name, each in degrades.items() if not options.only or name in options.only}
    scores, texts = Scores([reader.name for reader in readers]), list[dict[str, Any]]()
    try:
        for name, manifest in options.set:
            texts += _read_set(name, read_manifest(manifest), degrades, readers, scores, options)
            print(f"{name} is read", file=sys.stderr)
        babble = [] if options.only else _babble(readers, options)
    finally:
        for reader in readers:
            reader.close()
    _report(options, scores, babble, texts, readers)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a bundle, or the name of a packaged model; none: pocketsphinx alone")
    parser.add_argument("--lm", type=Path, help="language model in place of the bundle's own")
    parser.add_argument("--alpha", type=float, default=None)
    parser.add_argument("--beta", type=float, default=None)
    parser.add_argument("--set", type=_named_set, action="append", required=True, metavar="NAME=MANIFEST")
    parser.add_argument("--noise", type=Path, default=None, help="folder of recorded noise")
    parser.add_argument("--rooms", type=Path, default=None, help="folder of recorded impulse responses")
    parser.add_argument("--limit", type=int, default=200, help="utterances of a set where not clean; 0: all")
    parser.add_argument("--only", action="append", help="this condition alone; repeatable")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cache", type=Path, default=None, help="JSON file where pocketsphinx's texts are kept"
    )
    parser.add_argument("--no-pocketsphinx", action="store_true")
    parser.add_argument("--output", type=Path, default=None, help="written with .md and .json at its end")
    return parser.parse_args()


def _named_set(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=MANIFEST")
    return name, Path(path)


def _readers(options: argparse.Namespace, *, rival: bool) -> list[Reader]:
    """Load greedy linnet, linnet with a language model where there is one, and pocketsphinx."""
    readers: list[Reader] = []
    if options.model:
        greedy = Recognizer.load(options.model, search=SearchConfig(no_lm=True))
        readers.append(LinnetReader("greedy", greedy))
        if is_installed("numba") and (options.lm or greedy.bundle.language_model):
            chosen = SearchConfig(lm=options.lm, alpha=options.alpha, beta=options.beta)
            readers.append(LinnetReader("with LM", Recognizer.load(options.model, search=chosen)))
    if rival:
        readers.append(PocketsphinxReader(options.cache))
    return readers


def _read_set(
    name: str,
    utterances: Sequence[Utterance],
    degrades: dict[str, Degrade],
    readers: Sequence[Reader],
    scores: Scores,
    options: argparse.Namespace,
) -> list[dict[str, Any]]:
    """Let everybody read a set under each condition; gives what was written of each utterance."""
    loaded = [(each, load_samples(each, RATE_HZ)) for each in utterances]
    for each, samples in loaded:
        if isinstance(samples, Failure):
            print(f"left out: {each.audio}: {samples.reason}", file=sys.stderr)
    sound = [(each, samples) for each, samples in loaded if not isinstance(samples, Failure)]
    pitches_hz = speaker_pitches(*zip(*sound, strict=True))
    texts = []
    for condition, degrade in degrades.items():
        chosen = sound if condition == CLEAN else _drawn(sound, options.limit, options.seed)
        with progress_bar("utterances") as bar:
            for utterance, samples in bar.track(chosen, description=f"{name}, {condition}"):
                file = Path(utterance.audio).name
                heard = degrade(samples, file)
                line = {"set": name, "condition": condition, "audio": file, "text": utterance.text}
                for reader in readers:
                    read = reader.read(heard)
                    for group in ("", *groups_of(utterance, pitches_hz)):
                        cell = scores.cell((name, condition, group), reader.name)
                        cell.add(utterance, read, len(heard) / RATE_HZ, NORMALIZER)
                    line[reader.name] = read.text
                texts.append(line)
    return texts


def _drawn(
    sound: Sequence[tuple[Utterance, Samples]], limit: int, seed: int
) -> Sequence[tuple[Utterance, Samples]]:
    if not limit or limit >= len(sound):
        return sound
    return [sound[index] for index in sorted(np.random.default_rng(seed).permutation(len(sound))[:limit])]


def _babble(readers: Sequence[Reader], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Let everybody read what is no speech."""
    return [
        {"sound": name} | {reader.name: reader.read(samples).text for reader in readers}
        for name, samples in sounds(options.noise, options.seed).items()
    ]


def _report(
    options: argparse.Namespace,
    scores: Scores,
    babble: Sequence[dict[str, Any]],
    texts: Sequence[dict[str, Any]],
    readers: Sequence[Reader],
) -> None:
    """Print the tables, and write them with everything behind them."""
    names = scores.recognizers
    words = [[each["sound"], *(f"{_per_minute(each[name]):g}" for name in names)] for each in babble]
    speed = [[reader.name, reader.settings, f"{scores.rtf(reader.name):.4f}"] for reader in readers]
    page = f"{scores.table()}\n"
    if babble:
        page += f"Words written in a minute where nobody speaks:\n\n{markdown(['sound', *names], words)}\n"
    page += markdown(["recognizer", "settings", "RTF"], speed)
    sizes = _sizes(options.model) if options.model else {}
    if sizes:
        rows = [[name, f"{size / 1e6:.2f}"] for name, size in (sizes | {"all": sum(sizes.values())}).items()]
        page += f"\n{markdown(['file', 'MB'], rows)}"
    print(page)
    if options.output:
        write_text(options.output.with_suffix(".md"), page)
        content = {"processor": processor(), "seed": options.seed, "limit": options.limit, "sizes": sizes}
        content |= {"settings": {reader.name: reader.settings for reader in readers}}
        content |= {"rtf": {name: scores.rtf(name) for name in names}}
        content |= {"scores": scores.to_dict(), "no_speech": babble, "texts": texts}
        write_text(
            options.output.with_suffix(".json"), json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        )


def _per_minute(text: str) -> float:
    return len(text.split()) * 60 / DURATION_S


def _sizes(model: str) -> dict[str, int]:
    """Give the bytes of each file of a bundle that a transcription reads."""
    bundle = read_bundle(find_model(model))
    names = ("bundle.yaml", *sorted(bundle.spec.files))
    return {name: (bundle.path / name).stat().st_size for name in names if (bundle.path / name).exists()}


if __name__ == "__main__":
    main()
