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
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # where header.py is

from decoders import (
    CtcBeamDecoder,
    Decoder,
    FlashlightLexicon,
    Linnet,
    Materials,
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
    kind.name: kind for kind in (Linnet, CtcBeamDecoder, FlashlightLexicon, Pyctcdecode)
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    _add_simulate(commands.add_parser("simulate", help="make log-probs for a text"))
    _add_record(commands.add_parser("record", help="run a model over recordings"))
    _add_compare(commands.add_parser("compare", help="tune, measure, and print the table"))
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
    parser.add_argument("--lm", type=Path, required=True, help="model of words, of `linnet lm`")
    parser.add_argument("--kenlm", type=Path, required=True, help="the same model, of `build_binary`")
    parser.add_argument("--tokenizer", help="folder of the tokenizer, which the lexicon is spelled with")
    parser.add_argument("--beams", type=int, nargs="+", default=[64, 16, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoders", nargs="+", default=list(DECODERS), choices=list(DECODERS))
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.set_defaults(run=compare)


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
    print_header(
        *("numpy", "numba", "pyctcdecode", "ctc-beam-decoder", "flashlight-text"),
        settings=f"{options.lm.name}, best of {options.rounds} rounds by turns, one thread",
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
    tuned: dict[str, tuple[Decoder, Setting]] = {}
    for name in options.decoders:
        decoder = _built(name, materials, dev)
        for pruning in ("own",) if name == Linnet.name else ("own", "linnet"):
            setting = tune(decoder, dev, Setting(beam=options.beams[0], pruning=pruning))
            label = name if pruning == "own" else f"{name}, pruned as linnet"
            tuned[label] = decoder, setting
            print(f"tuned {label}: alpha {setting.alpha}, beta {setting.beta}", flush=True)
    rows = []
    for beam in options.beams:
        at_beam = {name: (decoder, _with_beam(setting, beam)) for name, (decoder, setting) in tuned.items()}
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


def _with_beam(setting: Setting, beam: int) -> Setting:
    return Setting(beam, setting.alpha, setting.beta, setting.pruning)


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table in Markdown; times are compared with the first row's."""
    print("\n| beam | decoder | alpha | beta | WER | CPU-s/h | of linnet's |")
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
