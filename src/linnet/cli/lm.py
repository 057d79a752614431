"""`linnet lm`: n-gram language models built from texts, read and written as ARPA, measured and mixed."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.config_options import options_from
from linnet.cli.console import EXIT_SOME_FAILED, print_result, print_warning, printable, progress_bar
from linnet.cli.lm_attach import attach
from linnet.cli.lm_tune import tune
from linnet.lm.config import DEFAULT_MEMORY_BYTES, EstimationConfig

if TYPE_CHECKING:
    from linnet.lm.levels import NgramModel, Progress, Unit
    from linnet.lm.packed import PackedModel
    from linnet.lm.sentences import Cutter, SentenceReader

CHARS = "chars"
MIN_MODELS = 2

_SIZE = re.compile(r"(\d{1,6})([KMG])")
_SIZE_BITS = {"K": 10, "M": 20, "G": 30}
_FILE_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([KMG]?)B")
_FILE_SIZE_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}

lm = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Build, convert, measure and mix n-gram language models."
)

lm.command()(tune)
lm.command()(attach)

TextsArgument = Annotated[
    list[Path], typer.Argument(help="Text files, a sentence a line, in UTF-8; also .gz and .zst.")
]
ModelArgument = Annotated[Path, typer.Argument(help="Packed model, ARPA file, or binary file of KenLM.")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
TokenizerOption = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        help="Cut the texts into tokens first: a tokenizer's folder, or chars for letters. Default: words.",
    ),
]
QuantizeOption = Annotated[bool, typer.Option("--quantize", help="Store values in 8 bits.")]
MemoryOption = Annotated[str, typer.Option(help="About what sorting may use, such as 500M or 2G.")]


@lm.command()
@options_from(EstimationConfig, "config")
def build(
    texts: TextsArgument,
    output: OutputOption,
    config: EstimationConfig,
    vocab: Annotated[Path | None, typer.Option(help="File of the words that n-grams may hold.")] = None,
    tokenizer: TokenizerOption = None,
    quantize: QuantizeOption = False,
    memory: MemoryOption = "2G",
) -> None:
    """Build a model of texts by interpolated modified Kneser-Ney smoothing, equal to lmplz's.

    What does not fit into memory goes through files in the system's folder for temporary files ($TMPDIR).
    """
    from linnet.lm.estimate import estimate
    from linnet.lm.packed_writer import write_packed

    _check_free(output)
    memory_bytes = _num_bytes(memory)
    allowed = frozenset(_read_words(vocab)) if vocab else None
    reader = _reader(texts, tokenizer)
    with _temporary() as folder, _bar() as report:
        model = estimate(reader, config, folder, memory_bytes, allowed, report)
        report("write", 0, 0)
        write_packed(output, model, folder, memory_bytes, quantized=quantize)
    counts = f"{reader.num_words} words in {reader.num_sentences} sentences"
    print_result(printable(f"{output}: {counts}; {_summary(model)}"))
    _end(reader)


@lm.command("import")
def import_(
    arpa: Annotated[Path, typer.Argument(help="ARPA file, also .gz and .zst, or KenLM's binary.")],
    output: OutputOption,
    tokenizer: TokenizerOption = None,
    quantize: QuantizeOption = False,
) -> None:
    """Make a packed model of an ARPA file, or of a binary file of KenLM (probing or trie)."""
    from linnet.lm.packed_writer import write_packed

    _check_free(output)
    _, unit = _cutter(tokenizer)
    with _temporary() as folder, _bar() as report:
        model = _read_foreign(arpa, unit, report)
        report("write", 0, 0)
        write_packed(output, model, folder, DEFAULT_MEMORY_BYTES, quantized=quantize)
    print_result(printable(f"{output}: {_summary(model)}"))


@lm.command()
def export(
    model: Annotated[Path, typer.Argument(help="Packed model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="ARPA file; .gz and .zst compress it.")],
) -> None:
    """Write a packed model as ARPA, which KenLM, SRILM and others read."""
    from linnet.core.compression import create_compressed
    from linnet.core.files import replacing
    from linnet.lm.arpa import write_arpa
    from linnet.lm.packed import PackedModel

    _check_free(output)
    with _bar() as report:
        report("read", 0, 0)
        unpacked = PackedModel(model).unpack()
        with replacing(output) as temporary, create_compressed(temporary) as file:
            write_arpa(file, unpacked, report)
    print_result(printable(f"{output}: {_summary(unpacked)}"))


@lm.command()
def perplexity(model: ModelArgument, texts: TextsArgument, tokenizer: TokenizerOption = None) -> None:
    """Print the perplexity of texts under a model, as KenLM's query counts it."""
    from linnet.lm.perplexity import measure_perplexity

    with _opened([model], tokenizer) as (packed,), _bar() as report:
        report("score", 0, 0)
        reader = _reader_for(packed, texts, tokenizer)
        found = measure_perplexity(packed, reader)
    print_result(f"perplexity with unknown words     {found.with_unknown:.4f}")
    print_result(f"perplexity without unknown words  {found.without_unknown:.4f}")
    print_result(f"unknown words                     {found.num_unknown}")
    print_result(f"words and ends of sentences       {found.num_tokens}")
    _end(reader)


@lm.command()
def interpolate(
    models: Annotated[list[Path], typer.Argument(help="Two or more models, packed or ARPA.")],
    tune: Annotated[Path, typer.Option(help="Text that the weights are tuned on.")],
    output: OutputOption,
    tokenizer: TokenizerOption = None,
    quantize: QuantizeOption = False,
) -> None:
    """Mix models into one, with the weights that make a text most probable."""
    from linnet.core.errors import ConfigError
    from linnet.lm.interpolate import interpolate as mix
    from linnet.lm.interpolate import tune_weights
    from linnet.lm.packed import PackedModel
    from linnet.lm.packed_writer import write_packed
    from linnet.lm.perplexity import measure_perplexity

    if len(models) < MIN_MODELS:
        raise ConfigError("there is nothing to mix", remedy="Name two models or more")
    _check_free(output)
    with _opened(models, tokenizer) as packed, _temporary() as folder, _bar() as report:
        reader = _reader_for(packed[0], [tune], tokenizer)
        report("tune", 0, 0)
        weights = tune_weights(packed, reader)
        report("mix", 0, 0)
        mixed = mix(packed, weights)
        write_packed(output, mixed, folder, DEFAULT_MEMORY_BYTES, quantized=quantize)
        measured = [measure_perplexity(one, reader) for one in (*packed, PackedModel(output))]
    names = [*(f"{weight:.4f} · {path}" for weight, path in zip(weights, models, strict=True)), str(output)]
    for name, found in zip(names, measured, strict=True):
        unknown = f"{found.without_unknown:.2f} without its {found.num_unknown} unknown words"
        print_result(printable(f"{name}: perplexity {found.with_unknown:.2f}, {unknown}"))
    _end(reader)


@lm.command()
def prune(
    model: ModelArgument,
    output: OutputOption,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, help="Leave out what raises the perplexity by a smaller share, such as 1e-8."),
    ] = None,
    ngrams: Annotated[int | None, typer.Option(min=1, help="Keep so many n-grams, words included.")] = None,
    size: Annotated[
        str | None, typer.Option(help="Write a file of at most this size, such as 4.5MB.")
    ] = None,
    quantize: QuantizeOption = False,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact", help="Quantize, and store n-grams in half the space, for up to 65,536 words."
        ),
    ] = False,
) -> None:
    """Leave out the n-grams that a model can best do without, by relative entropy.

    What is left keeps its probabilities, and backs off so that all that can follow sums to 1.
    """
    from linnet.core.errors import ConfigError
    from linnet.lm.compact_writer import compact_size, write_compact
    from linnet.lm.packed_writer import packed_size, write_packed
    from linnet.lm.prune import find_threshold, find_worths
    from linnet.lm.prune import prune as leave_out

    if sum(target is not None for target in (threshold, ngrams, size)) != 1:
        raise ConfigError("it is not said how much is to stay", remedy="Give --threshold, --ngrams or --size")
    num_bytes = _num_file_bytes(size) if size else 0
    _check_free(output)
    with _opened([model], None) as (packed,), _temporary() as folder, _bar() as report:
        report("read", 0, 0)
        whole = packed.unpack()
        report("weigh", 0, 0)
        worths = find_worths(whole)
        if threshold is None:
            num_word_bytes = sum(map(len, whole.words))

            def fits(counts: list[int]) -> bool:
                if ngrams:
                    return sum(counts) <= ngrams
                if compact:
                    return compact_size(counts, num_word_bytes) <= num_bytes
                return packed_size(counts, num_word_bytes, quantized=quantize) <= num_bytes

            threshold = find_threshold(worths, len(whole.words), fits)
        pruned = leave_out(whole, worths, threshold)
        report("write", 0, 0)
        if compact:
            write_compact(output, pruned)
        else:
            write_packed(output, pruned, folder, DEFAULT_MEMORY_BYTES, quantized=quantize)
    print_result(printable(f"{output}: threshold {threshold:.4g}; {_summary(pruned)}"))


def _summary(model: "NgramModel") -> str:
    return ", ".join(f"{len(level)} {n}-grams" for n, level in enumerate(model.levels, start=1))


def _check_free(output: Path) -> None:
    """Say before any work that the output is taken."""
    from linnet.core.errors import ConfigError

    if output.exists():
        raise ConfigError(f"{output} exists already", remedy="Name another file, or remove it first")


def _num_bytes(text: str) -> int:
    from linnet.core.errors import ConfigError

    match = _SIZE.fullmatch(text.upper())
    if not match:
        raise ConfigError(f"--memory is {text!r}", remedy="Give a number and K, M or G, such as 2G")
    return int(match[1]) << _SIZE_BITS[match[2]]


def _num_file_bytes(text: str) -> int:
    from linnet.core.errors import ConfigError

    match = _FILE_SIZE.fullmatch(text.upper())
    if not match:
        raise ConfigError(f"--size is {text!r}", remedy="Give a number and KB, MB or GB, such as 4.5MB")
    return int(float(match[1]) * _FILE_SIZE_UNITS[match[2]])


def _read_words(path: Path) -> set[bytes]:
    from linnet.core.errors import LanguageModelError
    from linnet.core.files import bounded_lines
    from linnet.lm.sentences import MAX_LINE_BYTES

    try:
        with path.open("rb") as file:
            return {word for line in bounded_lines(file, MAX_LINE_BYTES) for word in line.split()}
    except OSError as error:
        raise LanguageModelError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None


def _cutter(tokenizer: str | None) -> tuple["Cutter | None", "Unit"]:
    """Return what cuts a text into the words of a model, and what these are."""
    if tokenizer is None:
        return None, "word"
    if tokenizer == CHARS:
        from linnet.lm.sentences import letters

        return letters, "char"
    from linnet.text.tokenizer import tokenizer_of
    from linnet.text.tokenizer_folder import read_tokenizer_folder

    trained = tokenizer_of(read_tokenizer_folder(Path(tokenizer)), tokenizer)
    pieces = trained.vocabulary.pieces
    return lambda text: [pieces[token] for token in trained.encode(text)], "piece"


def _reader(texts: list[Path], tokenizer: str | None) -> "SentenceReader":
    from linnet.lm.sentences import SentenceReader

    cut, unit = _cutter(tokenizer)
    return SentenceReader(texts, cut, unit)


def _reader_for(model: "PackedModel", texts: list[Path], tokenizer: str | None) -> "SentenceReader":
    """Return what reads texts for a model, which knows that of words and letters itself."""
    from linnet.core.errors import ConfigError

    unit = model.header.unit
    if tokenizer is None and unit == "piece":
        raise ConfigError(
            f"{model.path} is a model of pieces", remedy="Name the folder of its tokenizer with --tokenizer"
        )
    reader = _reader(texts, CHARS if unit == "char" and tokenizer is None else tokenizer)
    if reader.unit != unit:
        raise ConfigError(
            f"{model.path} is a model of {unit}s, but --tokenizer gives {reader.unit}s",
            remedy="Give what cut the texts that the model was built from",
        )
    return reader


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="linnet-lm-") as folder:
        yield Path(folder)


@contextmanager
def _opened(paths: list[Path], tokenizer: str | None) -> Iterator[list["PackedModel"]]:
    """Open models; of ARPA files packed ones are made that live as long as the command."""
    from linnet.lm.packed import PackedModel, is_packed
    from linnet.lm.packed_writer import write_packed

    with _temporary() as folder:
        opened = []
        for number, path in enumerate(paths):
            packed = path
            if not is_packed(path):
                packed = folder / f"{number}.lm"
                foreign = _read_foreign(path, _cutter(tokenizer)[1])
                write_packed(packed, foreign, folder, DEFAULT_MEMORY_BYTES)
            opened.append(PackedModel(packed))
        yield opened


def _read_foreign(path: Path, unit: "Unit", report: "Progress | None" = None) -> "NgramModel":
    from linnet.lm.arpa import read_arpa
    from linnet.lm.kenlm_binary import is_kenlm_binary, read_kenlm_binary
    from linnet.lm.levels import no_progress

    if is_kenlm_binary(path):
        return read_kenlm_binary(path, unit, report or no_progress)
    return read_arpa(path, unit, report or no_progress)


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows what is being done, how much of it is done and of how much."""
    with progress_bar("done") as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None
        )


def _end(reader: "SentenceReader") -> None:
    """Name the lines that were left out, and end with the exit code that says so."""
    for problem in reader.problems:
        print_warning(f"left out {problem}")
    if reader.num_problems > len(reader.problems):
        print_warning(f"left out {reader.num_problems} lines in all")
    if reader.num_problems:
        raise typer.Exit(EXIT_SOME_FAILED)
