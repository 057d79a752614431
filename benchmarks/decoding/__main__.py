"""linnet's beam search beside other decoders: the same log-probs, the same language model, in one run.

Run, with the other decoders installed (see benchmarks/README.md):
    python benchmarks/decoding simulate held-out.txt -o letters.npz
    python benchmarks/decoding record manifest.jsonl --model bundle -o recorded.npz
    python benchmarks/decoding compare letters.npz --lm books.lm --kenlm books.binary
    python benchmarks/decoding hotwords letters.npz --lm books.lm
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1]))  # where header.py is

from decoders import (
    CtcBeamDecoder,
    Decoder,
    FlashlightFree,
    FlashlightLexicon,
    Linnet,
    Materials,
    Pruning,
    Pyctcdecode,
    Setting,
)
from header import print_header
from log_prob_set import LogProbSet
from measure import Row, measure, tune, word_error_rate
from recorder import Noises, record
from simulator import Simulator, SimulatorConfig

from linnet.decoding.greedy import greedy_decode
from linnet.text.tokenizer import Tokenizer, TokenizerConfig, build_tokenizer, tokenizer_of
from linnet.text.tokenizer_folder import read_tokenizer_folder

DECODERS: dict[str, Callable[[Materials], Decoder]] = {
    kind.name: kind for kind in (Linnet, CtcBeamDecoder, FlashlightLexicon, FlashlightFree, Pyctcdecode)
}


class Variant(NamedTuple):
    """A decoder with a kind of pruning.

    Attributes:
        decoder: its name.
        pruning: see `decoders.Setting`.
        weights_of: another variant whose weights it takes: ctc-beam-decoder gives the texts of pyctcdecode in
            a fraction of the time, and more or less pruning hardly moves the best weights.
        always: whether it is measured at all beams, or only at the first.
    """

    decoder: str
    pruning: Pruning
    weights_of: "Variant | None" = None
    always: bool = True

    @property
    def label(self) -> str:
        """What it is called in tables."""
        return self.decoder if self.pruning == "own" else f"{self.decoder}, pruned as linnet"


_ALIKE = Variant("ctc-beam-decoder", "own")
_FLASHLIGHT = Variant("flashlight lexicon", "linnet")
VARIANTS = (
    Variant("linnet", "own"),
    _ALIKE,
    Variant("ctc-beam-decoder", "linnet", _ALIKE, always=False),
    _FLASHLIGHT,
    Variant("flashlight lexicon", "own", _FLASHLIGHT, always=False),
    Variant("pyctcdecode", "own", _ALIKE),
)
WITHOUT_LM = (
    Variant("linnet", "own"),
    Variant("ctc-beam-decoder", "own"),
    Variant("flashlight free", "linnet"),
    Variant("pyctcdecode", "own"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    _add_simulate(commands.add_parser("simulate", help="make log-probs for a text"))
    _add_record(commands.add_parser("record", help="run a model over recordings"))
    _add_compare(commands.add_parser("compare", help="tune, measure, and print the table"))
    _add_hotwords(commands.add_parser("hotwords", help="measure what hotwords cost"))
    options = parser.parse_args()
    options.run(options)


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", type=Path, help="a sentence a line, not in the language model's text")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--tokenizer", help="folder of `linnet tokenizer train`; letters without it")
    parser.add_argument("--frame-ms", type=float, default=20.0)
    parser.add_argument("--difficulty", type=float, default=0.25)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(run=simulate)


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--model", required=True, help="folder of a bundle")
    parser.add_argument("--noise", type=Path, help="folder of recordings to mix in")
    parser.add_argument("--snr-db", type=float, nargs=2, default=(0.0, 10.0), metavar=("LEAST", "MOST"))
    parser.add_argument("--copies", type=int, default=1, help="how often to read each, with other noise")
    parser.set_defaults(run=write_recorded)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sets", type=Path, nargs="+", help="files of simulate or record")
    parser.add_argument("--lm", type=Path, help="model of words, of `linnet lm`; none without it")
    parser.add_argument("--kenlm", type=Path, help="the same model, of `build_binary`")
    parser.add_argument("--tokenizer", help="folder of the tokenizer, which the lexicon is spelled with")
    parser.add_argument("--beams", type=int, nargs="+", default=[64, 16, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoders", nargs="+", default=list(DECODERS), choices=list(DECODERS))
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.set_defaults(run=compare)


def _add_hotwords(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("set", type=Path, help="a file of simulate or record")
    parser.add_argument("--lm", type=Path, help="model of words, of `linnet lm`")
    parser.add_argument("--phrases", type=int, default=200)
    parser.add_argument("--few", type=int, default=4, help="utterances that pyctcdecode reads")
    parser.add_argument("--rounds", type=int, default=5)
    parser.set_defaults(run=hotwords)


def simulate(options: argparse.Namespace) -> None:
    """Make log-probs for the first lines of a text, as long as was asked for."""
    tokenizer = _tokenizer(options.tokenizer)
    config = SimulatorConfig(options.frame_ms / 1000, options.difficulty, seed=options.seed)
    simulator = Simulator(tokenizer.vocabulary.pieces, config)
    texts, log_probs, missing_s = [], [], options.minutes * 60
    for index, line in enumerate(options.text.read_text().splitlines()):
        if missing_s <= 0:
            break
        texts.append(line)
        log_probs.append(simulator.log_probs(tokenizer.encode(line), index))
        missing_s -= len(log_probs[-1]) * config.frame_s
    made = LogProbSet(tokenizer.vocabulary.pieces, config.frame_s, tuple(texts), tuple(log_probs))
    made.save(options.output)
    print(f"{options.output}: {describe(made)}")


def write_recorded(options: argparse.Namespace) -> None:
    """Run a model over the recordings of a manifest."""
    noises = Noises(options.noise, tuple(options.snr_db), options.copies) if options.noise else None
    recorded = record(options.manifest, options.model, noises)
    recorded.save(options.output)
    print(f"{options.output}: {describe(recorded)}")


def compare(options: argparse.Namespace) -> None:
    """Tune each decoder at the first beam, measure all at each beam, and print tables."""
    model = options.lm.name if options.lm else "no language model"
    print_header(
        *("numpy", "numba", "pyctcdecode", "ctc-beam-decoder", "flashlight-text"),
        settings=f"{model}, best of {options.rounds} rounds by turns, one thread",
        measure="WER and CPU-seconds per hour of audio on every other utterance, tuned on the rest",
    )
    results = {}
    for path in options.sets:
        read = LogProbSet.load(path)
        print(f"## {path.stem}: {describe(read)}\n", flush=True)
        results[path.stem] = compare_on(read, options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def compare_on(read: LogProbSet, options: argparse.Namespace) -> list[dict[str, object]]:
    """Run the whole comparison on one set."""
    dev, test = read.halves()
    tokenizer = _tokenizer(options.tokenizer)
    assert tokenizer.vocabulary.pieces == read.pieces, "--tokenizer must be that of the log-probs"
    materials = Materials(read.pieces, options.lm, options.kenlm, tokenizer.encode)
    variants = [each for each in (VARIANTS if options.lm else WITHOUT_LM) if each.decoder in options.decoders]
    decoders = {
        name: _built(name, materials, dev) for name in dict.fromkeys(each.decoder for each in variants)
    }
    tuned: dict[Variant, Setting] = {}
    for variant in variants:
        setting = tuned.get(variant.weights_of) if variant.weights_of else None
        if setting is None:
            setting = Setting(options.beams[0], pruning=variant.pruning)
            if options.lm:
                setting = tune(decoders[variant.decoder], dev, setting)
        tuned[variant] = replace(setting, pruning=variant.pruning)
        print(f"{variant.label}: alpha {setting.alpha}, beta {setting.beta}", flush=True)
    rows = []
    for beam in options.beams:
        at_beam = {
            variant.label: (decoders[variant.decoder], replace(setting, beam=beam))
            for variant, setting in tuned.items()
            if variant.always or beam == options.beams[0]
        }
        measured = measure(at_beam, test, rounds=options.rounds)
        print_rows(measured)
        rows += [row.as_json() for row in measured]
    return rows


def _built(name: str, materials: Materials, dev: LogProbSet) -> Decoder:
    """Load a decoder and let it read one utterance, which compiles linnet's search where that is not done."""
    start_s = time.process_time()
    decoder = DECODERS[name](materials)
    loaded_s = time.process_time()
    decoder.reader(Setting())(dev.log_probs[0])
    first_s = time.process_time() - loaded_s
    print(f"{name}: loading {loaded_s - start_s:.1f} s, the first utterance {first_s:.1f} s", flush=True)
    return decoder


def hotwords(options: argparse.Namespace) -> None:
    """Read a set with and without hotwords: all of it with linnet, a few utterances with pyctcdecode."""
    read = LogProbSet.load(options.set)
    words = sorted({word for text in read.texts for word in text.split() if len(word) > 6})
    phrases = tuple(words[:: max(1, len(words) // options.phrases)][: options.phrases])
    print_header(
        *("numpy", "numba", "pyctcdecode"),
        settings=f"{len(phrases)} words of the texts, {describe(read)}",
        measure=f"WER and CPU-seconds per hour, best of {options.rounds} rounds by turns, one thread",
    )
    settings = {"none": Setting(), f"{len(phrases)} hotwords": Setting(hotwords=phrases)}
    few = read.part(range(options.few))
    for name, lm, part, rounds in (
        (Linnet.name, None, read, options.rounds),
        (Linnet.name, options.lm, read, options.rounds),
        (Linnet.name, None, few, options.rounds),
        (Pyctcdecode.name, None, few, 1),
    ):
        decoder = DECODERS[name](Materials(read.pieces, lm, None))
        at_each = {label: (decoder, setting) for label, setting in settings.items()}
        print(f"{name}, {lm.name if lm else 'no language model'}, {len(part.texts)} utterances")
        print_rows(measure(at_each, part, rounds=rounds))


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table in Markdown; the ratios are to the first row's time."""
    print("\n| beam | decoder | alpha | beta | WER | CPU-s/h | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        ratio = row.cpu_s / rows[0].cpu_s
        print(
            f"| {row.setting.beam} | {row.decoder} | {row.setting.alpha} | {row.setting.beta} "
            f"| {100 * row.wer:.2f} % | {row.cpu_s:.2f} | {ratio:.1f} |",
            flush=True,
        )
    print()


def describe(read: LogProbSet) -> str:
    """Say how long a set is and how hard it is without any search."""
    vocabulary = read.vocabulary
    texts = [
        vocabulary.decode(span.token_id for span in greedy_decode(each, vocabulary.blank_id))
        for each in read.log_probs
    ]
    return (
        f"{len(texts)} utterances, {60 * read.hours:.1f} minutes, {vocabulary.size} tokens "
        f"at {1000 * read.frame_s:.0f} ms, greedy WER {100 * word_error_rate(read, texts):.1f} %"
    )


def _tokenizer(folder: str | None) -> Tokenizer:
    if folder is None:
        return build_tokenizer(TokenizerConfig())
    return tokenizer_of(read_tokenizer_folder(Path(folder)), folder)


if __name__ == "__main__":
    main()
