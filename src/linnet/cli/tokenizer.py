"""`linnet tokenizer`: train the pieces a model writes with, and see what they make of a text."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import EXIT_SOME_FAILED, print_result, print_warning, printable, progress_bar

if TYPE_CHECKING:
    from linnet.core.errors import LinnetError
    from linnet.text.tokenizer import Tokenizer

    Texts = list[tuple[str, str | LinnetError]]

MAX_PROBLEMS_SHOWN = 10

tokenizer = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Train a tokenizer, and try it on texts."
)


class TokenizerType(StrEnum):
    """What can be trained."""

    CHAR = "char"
    BPE = "bpe"
    UNIGRAM = "unigram"
    WORDPIECE = "wordpiece"
    BYTE = "byte"
    TEVR = "tevr"


FolderArgument = Annotated[Path, typer.Argument(help="Folder of a tokenizer, of linnet or of NeMo.")]


@tokenizer.command()
def train(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where its folder is made.")],
    manifests: Annotated[
        list[Path] | None, typer.Option("--manifest", help="Manifest whose texts are taken; repeatable.")
    ] = None,
    texts: Annotated[
        list[Path] | None, typer.Option("--text", help="Text file, one text a line; repeatable.")
    ] = None,
    trained_type: Annotated[
        TokenizerType, typer.Option("--type", help="Kind of pieces.")
    ] = TokenizerType.BPE,
    vocab_size: Annotated[
        int | None,
        typer.Option(min=2, help="Pieces, without the blank; default: 1024, 255 for tevr, all for char."),
    ] = None,
    normalizer: Annotated[str, typer.Option(help="Normalizer of the model to be trained.")] = "basic",
) -> None:
    """Train a tokenizer on the texts of manifests and text files.

    The folder is named and laid out as by NeMo. A model takes it by its configuration:
    tokenizer: {path: FOLDER}
    """
    from linnet.core.errors import ConfigError
    from linnet.text.normalize import normalizer_version
    from linnet.text.tokenizer import tokenizer_of
    from linnet.text.tokenizer_folder import check_free, write_tokenizer_folder
    from linnet.text.tokenizer_training import folder_name, train_tokenizer

    if not manifests and not texts:
        raise ConfigError("there is nothing to train on", remedy="Give --manifest or --text")
    normalizer_version(normalizer)
    normalized, problems = _normalized(_read_texts(manifests or [], texts or []), normalizer)
    files = train_tokenizer(normalized, trained_type.value, normalizer, vocab_size)
    folder = output / folder_name(trained_type.value, files)
    check_free(folder)
    write_tokenizer_folder(folder, files)
    print_result(printable(f"{folder}: {_summary(tokenizer_of(files, str(folder)), normalized)}"))
    print_result(printable(f"in the configuration of a model: tokenizer: {{path: {folder}}}"))
    _end(problems)


@tokenizer.command()
def encode(
    folder: FolderArgument,
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; default: lines of stdin.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Print numbers instead of pieces.")] = False,
) -> None:
    """Show the pieces of texts, brought to the tokenizer's normalizer first."""
    from linnet.core.errors import TextError
    from linnet.text.normalize import normalize
    from linnet.text.tokenizer import tokenizer_of
    from linnet.text.tokenizer_folder import read_tokenizer_folder

    files = read_tokenizer_folder(folder)
    trained = tokenizer_of(files, str(folder))
    problems = []
    for number, text in enumerate(_arguments_or_lines(texts), start=1):
        try:
            tokens = trained.encode(normalize(text, files.about.normalizer or "none"))
        except TextError as error:
            problems.append(f"text {number}: {error}")
            continue
        shown = map(str, tokens) if ids else (trained.vocabulary.pieces[token] for token in tokens)
        print_result(printable(" ".join(shown)))
    _end(problems)


@tokenizer.command()
def decode(
    folder: FolderArgument,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids of one text; default: a text a line of stdin.")
    ] = None,
) -> None:
    """Show the text of ids."""
    from linnet.text.tokenizer import tokenizer_of
    from linnet.text.tokenizer_folder import read_tokenizer_folder

    vocabulary = tokenizer_of(read_tokenizer_folder(folder), str(folder)).vocabulary
    problems = []
    for number, line in enumerate([" ".join(ids)] if ids else _arguments_or_lines(None), start=1):
        wrong = [word for word in line.split() if not (word.isdecimal() and int(word) < vocabulary.blank_id)]
        if wrong:
            problems.append(f"text {number}: {wrong[0]!r} is not an id from 0 to {vocabulary.blank_id - 1}")
        else:
            print_result(printable(vocabulary.decode(map(int, line.split()))))
    _end(problems)


@tokenizer.command()
def show(folder: FolderArgument) -> None:
    """Show what a tokenizer is: its kind, normalizer and pieces."""
    from linnet.text.tokenizer import tokenizer_of
    from linnet.text.tokenizer_folder import read_tokenizer_folder

    files = read_tokenizer_folder(folder)
    vocabulary = tokenizer_of(files, str(folder)).vocabulary
    about = files.about
    print_result(f"kind        {about.kind}")
    normalizer = f"{about.normalizer}, version {about.normalizer_version}" if about.normalizer else "unknown"
    print_result(printable(f"normalizer  {normalizer}"))
    print_result(f"pieces      {vocabulary.blank_id}, and the blank")
    for token_id, piece in enumerate(vocabulary.pieces):
        print_result(printable(f"{token_id:>6}  {piece}"))


def _summary(trained: "Tokenizer", texts: list[str]) -> str:
    num_tokens = sum(len(trained.encode(text)) for text in texts)
    num_characters = sum(len(" ".join(text.split())) for text in texts)
    pieces = f"{trained.vocabulary.blank_id} pieces from {len(texts)} texts"
    return f"{pieces}, {num_characters / max(1, num_tokens):.2f} characters a piece"


def _read_texts(manifests: list[Path], files: list[Path]) -> "Texts":
    """Gather every text with its place; what has none is an error in its place."""
    from linnet.core.errors import ManifestError
    from linnet.manifest.jsonl import scan_manifest
    from linnet.text.lines import read_lines

    found: Texts = []
    for path in manifests:
        manifest = scan_manifest(path)
        found += [(problem.where, problem) for problem in manifest.problems]
        for utterance in manifest.utterances:
            where = f"{path}, {utterance.audio}"
            found.append((where, ManifestError("has no text") if utterance.text is None else utterance.text))
    for path in files:
        found += read_lines(path)
    return found


def _normalized(texts: "Texts", normalizer: str) -> tuple[list[str], list[str]]:
    """Give the normalized texts, and a sentence on each that has to be left out."""
    from linnet.core.errors import TextError
    from linnet.text.normalize import normalize
    from linnet.text.tokenizer_training import check_writable

    normalized, problems = [], []
    with progress_bar("texts") as bar:
        for where, text in bar.track(texts, description="normalize"):
            if not isinstance(text, str):
                problems.append(str(text) if text.where else f"{where}: {text}")
                continue
            try:
                words = normalize(text, normalizer)
                check_writable(words)
                normalized.append(words)
            except TextError as error:
                problems.append(f"{where}: {error}")
    return normalized, problems


def _arguments_or_lines(texts: list[str] | None) -> Iterator[str]:
    if texts:
        yield from texts
    else:
        yield from (line.rstrip("\n") for line in sys.stdin)


def _end(problems: list[str]) -> None:
    """Name what was left out, and end with the exit code that says so."""
    for problem in problems[:MAX_PROBLEMS_SHOWN]:
        print_warning(f"left out {problem}")
    if len(problems) > MAX_PROBLEMS_SHOWN:
        print_warning(f"left out {len(problems)} in all")
    if problems:
        raise typer.Exit(EXIT_SOME_FAILED)
