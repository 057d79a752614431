"""ARPA files: read and written without loss, and faults named by their line."""

import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm.arpa import read_arpa, write_arpa
from linnet.lm.levels import NgramModel
from linnet.lm.packed import PackedModel
from linnet.lm.scoring import score_ngrams

Packer = Callable[..., PackedModel]


GOOD = r"""
\data\
ngram 1=5
ngram 2=3
ngram 3=1

\1-grams:
-1.5	<unk>
-99	<s>	-0.3
-0.7	</s>
-0.5	a	-0.2
-0.9	b	0

\2-grams:
-0.4	<s> a	-0.1
-0.3	a b	0
-0.6	b </s>

\3-grams:
-0.2	<s> a b

\end\
"""


def read(tmp_path: Path, text: str | bytes) -> NgramModel:
    (tmp_path / "a.arpa").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_arpa(tmp_path / "a.arpa")


@pytest.mark.parametrize("name", ["pruned", "limited"])
def test_what_is_written_is_read_back(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: NgramModel = request.getfixturevalue(name)
    written = io.BytesIO()
    write_arpa(written, model)
    again = read(tmp_path, gzip.compress(written.getvalue()))
    assert again.words == model.words
    for level, like in zip(again.levels, model.levels, strict=True):
        for part in ("first", "parent", "log10_probs", "log10_backoffs"):
            np.testing.assert_array_equal(getattr(level, part), getattr(like, part))


def test_the_marks_of_other_tools_are_understood(tmp_path: Path) -> None:
    text = "made by a tool\r\n" + GOOD.replace("<unk>", "<UNK>").replace("\t", " ").replace("\n", "\r\n")
    model = read(tmp_path, text)
    assert model.words == [b"<unk>", b"<s>", b"</s>", b"a", b"b"]
    assert [len(level) for level in model.levels] == [5, 3, 1]


def test_a_model_without_unknown_words_gets_them_as_in_kenlm(tmp_path: Path) -> None:
    model = read(tmp_path, GOOD.replace("-1.5\t<unk>\n", "").replace("1=5", "1=4"))
    assert (model.words[0], float(model.levels[0].log10_probs[0])) == (b"<unk>", -100)


def test_endings_that_pruning_left_out_change_no_score(tmp_path: Path, packer: Packer) -> None:
    text = GOOD.replace("-0.3\ta b\t0\n", "").replace("2=3", "2=2")
    model = read(tmp_path, text)
    assert [len(level) for level in model.levels] == [5, 3, 1]
    a, b = (model.words.index(word) for word in (b"a", b"b"))
    grams = np.array([[1, a, b], [-1, a, b], [a, b, 2], [b, a, b]])
    scores = score_ngrams(packer(model).tables, grams)
    np.testing.assert_allclose(scores, [-0.2, -0.2 - 0.9, -0.6, -0.2 - 0.9], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("\\data\\", "\\date\\", 0, "has no line"),
        ("ngram 2=3", "ngram 3=3", 4, "count from 1"),
        ("ngram 1=5\nngram 2=3\nngram 3=1\n", "", 4, "'ngram 1=' and a number belong"),
        ("ngram 1=5", "ngram 1=many", 3, "belong"),
        ("ngram 1=5", "ngram 1=6", 14, "5 1-grams end here, where the head of the file says 6"),
        ("ngram 2=3", "ngram 2=999999999999", 19, "3 2-grams end here"),
        ("\\2-grams:", "\\4-grams:", 14, "'\\\\2-grams:' belongs"),
        ("-0.5\ta", "minus\ta", 11, "'minus' is not a number"),
        ("-0.5\ta", "nan\ta", 11, "'nan' is not a number"),
        ("-0.5\ta", "-inf\ta", 11, "'-inf' is not a number"),
        ("-0.5\ta", "0.5\ta", 11, "probability 0.5 is above 0"),
        ("a\t-0.2", "a\tx", 11, "'x' is not a number"),
        ("-0.9\tb\t0", "-0.9\ta\t0", 12, "the word 'a' appears twice"),
        ("-0.9\tb\t0", "-0.9\t<s>\t0", 12, "the word '<s>' appears twice"),
        ("-0.9\tb\t0", "-0.9", 12, "is no 1-gram"),
        ("-0.6\tb </s>", "-0.6\tb </s> a b", 17, "is no 2-gram"),
        ("-0.6\tb </s>", "-0.6\tb c", 17, "the word 'c' is none of the 1-grams"),
        ("-0.6\tb </s>", "-0.6\ta b", 17, "appears twice"),
        ("<s> a b", "b a b", 20, "what it begins with"),
        ("-0.2\t<s> a b", "-0.2\t<s> a b\t-1", 20, "highest order has a back-off"),
        ("\\end\\\n", "", 21, "the file is cut off"),
        ("</s>", "</S>", 0, "has no </s>"),
    ],
)
def test_a_fault_is_named_by_its_line(old: str, new: str, line: int, message: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(LanguageModelError, match=re.escape(message)) as raised:
        read(tmp_path, GOOD.replace(old, new))
    expected = f"a.arpa, line {line}" if line else "a.arpa"
    assert raised.value.where.endswith(expected) or not line


def test_words_have_to_be_text(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"line 11: the word .* is not UTF-8"):
        read(tmp_path, GOOD.encode().replace(b"\ta\t", b"\t\xff\t"))


def test_every_cut_is_found(tmp_path: Path) -> None:
    whole = GOOD.rstrip().encode()
    for length in range(0, len(whole), 7):
        with pytest.raises(LanguageModelError, match=r"a\.arpa"):
            read(tmp_path, whole[:length])
    with pytest.raises(LanguageModelError, match="cannot read the language model"):
        read(tmp_path, gzip.compress(whole)[:-9])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"gone.arpa: cannot read the language model"):
        read_arpa(tmp_path / "gone.arpa")
