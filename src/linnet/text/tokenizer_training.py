"""From normalized texts to a tokenizer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, cast

from linnet.core.errors import TextError
from linnet.text.normalize import normalizer_version
from linnet.text.sentencepiece_model import read_pieces, too_large, too_small, train_model
from linnet.text.tevr import choose_groups
from linnet.text.tokenizer_folder import TokenizerAbout, TokenizerFiles
from linnet.text.unwritable import unknown, unwritable_at
from linnet.text.vocabulary import NUM_BYTES, TokenizerKind
from linnet.text.wordpiece import wordpieces_from_merges

TrainedType = Literal["char", "bpe", "unigram", "wordpiece", "byte", "tevr"]

# What NeMo takes, and what the paper of TEVR has. Letters and bytes are as many as there are.
DEFAULT_VOCAB_SIZES: dict[TrainedType, int] = {"bpe": 1024, "unigram": 1024, "wordpiece": 1024, "tevr": 255}

_FOLDER_NAMES: dict[TrainedType, str] = {"bpe": "spe_bpe", "unigram": "spe_unigram", "wordpiece": "wpe"}
_KINDS: dict[TrainedType, TokenizerKind] = {"bpe": "sentencepiece", "unigram": "sentencepiece"}


def train_tokenizer(
    texts: Sequence[str], trained_type: TrainedType, normalizer: str, vocab_size: int | None = None
) -> TokenizerFiles:
    """Train a tokenizer.

    Args:
        texts: normalized texts; all their characters can be written afterwards.
        trained_type: see `TokenizerConfig`; "bpe" and "unigram" are models of SentencePiece.
        normalizer: the name of the normalizer that made the texts.
        vocab_size: the number of pieces without the blank; None takes `DEFAULT_VOCAB_SIZES`.

    Raises:
        TextError: when there is no text, when a text holds what no pieces can write, or when the texts do not
            give `vocab_size` pieces or have more characters than that.
        MissingDependencyError: when sentencepiece is needed and not installed.
    """
    for text in texts:
        check_writable(text)
    words = Counter(word for text in texts for word in text.split())
    if not words and trained_type != "byte":
        raise TextError("there is no text to train a tokenizer on", remedy="Give manifests with texts")
    size = vocab_size or DEFAULT_VOCAB_SIZES.get(trained_type, 0)
    about = TokenizerAbout(
        kind=_KINDS.get(trained_type) or cast(TokenizerKind, trained_type),
        normalizer=normalizer,
        normalizer_version=normalizer_version(normalizer),
    )
    if trained_type in ("bpe", "unigram"):
        model = train_model(_lines(texts), trained_type, size)
        return TokenizerFiles(about, read_pieces(model), model)
    if trained_type == "wordpiece":
        return TokenizerFiles(about, _train_wordpieces(words, texts, size))
    pieces = {"char": _letters, "tevr": _train_groups, "byte": _no_pieces}[trained_type](words, size)
    return TokenizerFiles(about, pieces)


def folder_name(trained_type: TrainedType, files: TokenizerFiles) -> str:
    """Name the folder of a tokenizer as NeMo does, such as "tokenizer_spe_bpe_v128"."""
    num_pieces = NUM_BYTES if trained_type == "byte" else len(files.pieces)
    num_spaces = 1 if trained_type in ("char", "tevr") else 0  # which the list of pieces leaves out
    return f"tokenizer_{_FOLDER_NAMES.get(trained_type, trained_type)}_v{num_pieces + num_spaces}"


def check_writable(text: str) -> None:
    """Raise TextError, with the place, on a character that no pieces at all can write."""
    if (at := unwritable_at(text)) is not None:
        raise unknown(f"the character {text[at]!r}, which no pieces can write", text, at)


def _letters(words: Mapping[str, int], size: int) -> tuple[str, ...]:
    letters = sorted(set("".join(words)))
    if size and len(letters) + 1 > size:
        raise too_small(len(letters) + 1, size)
    return tuple(letters)


def _no_pieces(words: Mapping[str, int], size: int) -> tuple[str, ...]:
    if size not in (0, NUM_BYTES):
        raise TextError(f"there are {NUM_BYTES} bytes, not {size}", remedy="Leave the size out")
    return ()


def _train_groups(words: Mapping[str, int], size: int) -> tuple[str, ...]:
    letters = _letters(words, size)
    groups = choose_groups(words, size - 1 - len(letters))
    if len(groups) + len(letters) + 1 < size:
        raise too_large(len(groups) + len(letters) + 1, size)
    return (*groups, *letters)


def _train_wordpieces(words: Mapping[str, int], texts: Sequence[str], size: int) -> tuple[str, ...]:
    letters = set("".join(words))
    if 2 * len(letters) + 1 > size:
        raise too_small(2 * len(letters) + 1, size)
    # Some of the merges are letters at the start of a word, which are in the list already.
    model = train_model(_lines(texts), "bpe", size + len(letters) + 1, exact=False)
    merges = [piece for piece in read_pieces(model)[1:] if piece not in letters]
    pieces = wordpieces_from_merges(letters, merges, size)
    if len(pieces) < size:
        raise too_large(len(pieces), size)
    return tuple(pieces)


def _lines(texts: Sequence[str]) -> list[str]:
    return [line for text in texts if (line := " ".join(text.split()))]
