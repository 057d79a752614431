"""The search in a recognizer: what is chosen reaches it, and nothing that was asked for is lost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError
from linnet.core.results import Hotword, Transcript
from linnet.lm.arpa import read_arpa
from linnet.lm.packed_writer import write_packed
from linnet.runtime.search import TextSearch
from linnet.runtime.search_config import SearchConfig
from linnet.text.vocabulary import Vocabulary

LETTERS = Vocabulary(("▁", "a", "b", "c"))
Search = Callable[..., TextSearch]


@pytest.fixture
def search() -> Search:
    def build(**chosen: object) -> TextSearch:
        return TextSearch(LETTERS, "char", "basic", SearchConfig.model_validate(chosen))

    return build


def peaky(text: str, rival: dict[int, str] | None = None) -> LogProbs:
    """Write a text, a frame a letter and a blank behind each; a rival has nearly as much as the letter."""
    posteriors = np.full((2 * len(text), 5), 0.01)
    for index, letter in enumerate(text):
        posteriors[2 * index, "▁abc".index(letter)] = 0.6
        posteriors[2 * index + 1, 4] = 0.96
        if rival and index in rival:
            posteriors[2 * index, "▁abc".index(rival[index])] = 0.3
    result: LogProbs = np.log(posteriors / posteriors.sum(1, keepdims=True)).astype(np.float32)
    return result


def transcript(text: str) -> Transcript:
    return Transcript(text=text, words=(), duration_s=1.0, model="letters")


def test_the_spans_are_those_of_the_best_text(search: Search) -> None:
    reading = search(beam=8).read(peaky("ab▁c"))
    assert [(span.token_id, span.start_frame) for span in reading.spans] == [(1, 0), (2, 2), (0, 4), (3, 6)]
    assert all(0.5 < span.confidence <= 1 for span in reading.spans)
    assert [each.text for each in reading.alternatives] == ["ab c"]


def test_every_hotword_is_accounted_for(search: Search) -> None:
    favoring = search(hotword=("AC", "ab=0.1", "cacac", "dog"), hotword_weight=2.0)
    reading = favoring.read(peaky("ab", rival={1: "c"}))
    assert reading.alternatives[0].text == "ac"
    assert favoring.complete(transcript("ac"), [reading]).hotwords == (
        Hotword(phrase="AC", outcome="written"),
        Hotword(phrase="ab", outcome="in reach"),
        Hotword(phrase="cacac", outcome="never in reach"),
        Hotword(phrase="dog", outcome="not in the vocabulary"),
    )


def test_alternatives_of_segments_are_joined_by_rank(search: Search) -> None:
    several = search(nbest=3)
    readings = [several.read(peaky("ab", rival={1: "c"})), several.read(peaky("c"))]
    joined = several.complete(transcript("ab c"), readings).alternatives
    assert [each.text for each in joined[:2]] == ["ab c", f"ac {readings[1].alternatives[1].text}".strip()]
    assert joined[0].total == pytest.approx(sum(each.alternatives[0].total for each in readings))


@pytest.fixture
def a_before_c(tmp_path: Path) -> Path:
    """Write a language model in which `c` follows `a`, and hardly ever `b`."""
    words = [f"-1\t{word}\t0" for word in ("<unk>", "<s>", "</s>", "a", "b", "c")]
    pairs = ["-0.1\ta c", "-1.7\tb c"]
    head = ["\\data\\", "ngram 1=6", "ngram 2=2"]
    lines = [*head, "", "\\1-grams:", *words, "", "\\2-grams:", *pairs, "", "\\end\\", ""]
    (tmp_path / "model.arpa").write_text("\n".join(lines))
    write_packed(tmp_path / "model.lm", read_arpa(tmp_path / "model.arpa", "word"), tmp_path, 1 << 20)
    return tmp_path / "model.lm"


@pytest.mark.parametrize(
    ("held_frames", "settled", "text"), [(0, [1, 1, 1, 1], "b c c"), (99, [0, 0, 2, 2], "a c c")]
)
def test_a_piece_that_waits_is_read_as_in_the_whole(
    search: Search, a_before_c: Path, held_frames: int, settled: list[int], text: str
) -> None:
    with_model = search(lm=a_before_c, alpha=1.0, nbest=2)
    pieces = [peaky("▁b", rival={1: "a"}), peaky("a")[1:], peaky("▁c"), peaky("▁c")]
    stream = with_model.stream(held_frames)
    found = [stream.read(piece, ends=piece is pieces[-1]) for piece in pieces]
    assert list(map(len, found)) == settled
    readings = [reading for some in found for reading in some]
    assert LETTERS.decode([span.token_id for each in readings for span in each.spans]) == text
    assert [[span.start_frame for span in each.spans] for each in readings] == [[0, 2], [], [0, 2], [0, 2]]
    complete = with_model.complete(transcript(text), readings)
    assert complete.alternatives[0].text == text
    whole = with_model.read(np.concatenate(pieces))
    assert whole.alternatives[0].text == "a c c"
    if held_frames:
        assert complete.alternatives[0].total == pytest.approx(whole.alternatives[0].total, abs=1e-3)


def test_silence_and_no_frames_give_nothing(search: Search) -> None:
    for log_probs in (
        np.zeros((0, 5), np.float32),
        np.log(np.full((4, 5), [[0.01] * 4 + [0.96]], np.float32)),
    ):
        reading = search(hotword=("a",)).read(log_probs)
        assert reading.spans == ()
        assert reading.alternatives[0].text == ""


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("a=x", "'x' is no weight"),
        ("a=-1", "'-1' is no weight"),
        ("!?", "has no letters"),
        ("=3", "has no letters"),
    ],
)
def test_a_wrong_hotword_is_explained(search: Search, phrase: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search(hotword=(phrase,))


def test_a_language_model_that_is_missing_is_named(search: Search, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        search(lm=tmp_path / "no.lm")
