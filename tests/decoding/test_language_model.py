"""What a language model adds to a text in the beam search."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.decoding.beam import BeamConfig, BeamDecoder, BeamStream
from linnet.decoding.language_model import LanguageModel
from linnet.lm.arpa import read_arpa
from linnet.lm.levels import Unit
from linnet.lm.packed_writer import write_packed
from linnet.text.vocabulary import Vocabulary

LETTERS = Vocabulary(("▁", "a", "b"))
PIECES = Vocabulary(("▁a", "b", "▁", "▁ab", "a"))
GROUPS = Vocabulary(("▁", "ab", "a", "b"))  # of TEVR
ALPHA, BETA, UNKNOWN = 0.7, 0.4, -3.0
EXHAUSTIVE = BeamConfig(
    beam=4000,
    top_tokens=5,
    min_token=-1e3,
    margin=1e3,
    blank_only=0.0,
    alpha=ALPHA,
    beta=BETA,
    unknown=UNKNOWN,
)
UNIGRAMS = {"<unk>": -2.0, "</s>": -0.9, "a": -0.5, "ab": -0.8}
BIGRAMS = {("<s>", "ab"): -0.3, ("ab", "a"): -0.2, ("a", "</s>"): -0.4}
BACKOFFS = {"<s>": -0.25, "ab": -0.35, "a": -0.15}


def write_model(folder: Path, unit: Unit, rename: dict[str, str] | None = None) -> Path:
    """Write the model of the tables above, its words renamed."""
    names = {word: (rename or {}).get(word, word) for word in (*UNIGRAMS, "<s>")}
    lines = ["\\data\\", f"ngram 1={len(names)}", f"ngram 2={len(BIGRAMS)}", "", "\\1-grams:"]
    for word, name in names.items():
        lines.append(f"{UNIGRAMS.get(word, -99)}\t{name}\t{BACKOFFS.get(word, 0)}")
    lines += ["", "\\2-grams:"]
    lines += [f"{value}\t{names[first]} {names[second]}" for (first, second), value in BIGRAMS.items()]
    (folder / "model.arpa").write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")
    write_packed(folder / "model.lm", read_arpa(folder / "model.arpa", unit), folder, 1 << 20)
    return folder / "model.lm"


def log10_score(words: list[str]) -> float:
    """Score a sentence by hand, with its end."""
    total = 0.0
    for before, word in pairwise(["<s>", *(word if word in UNIGRAMS else "<unk>" for word in words), "</s>"]):
        total += BIGRAMS.get((before, word), UNIGRAMS[word] + BACKOFFS.get(before, 0.0))
    return total


@pytest.mark.parametrize("vocabulary", [LETTERS, PIECES, GROUPS], ids=["letters", "pieces", "groups"])
def test_words_add_what_the_model_says_however_they_are_spelled(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    model = LanguageModel.load(write_model(tmp_path, "word"), vocabulary)
    posteriors = np.random.default_rng(2).dirichlet(np.ones(vocabulary.size), size=4)
    log_probs = np.log(posteriors).astype(np.float32)
    plain = BeamDecoder(vocabulary, EXHAUSTIVE).decode(log_probs, num_best=4000)
    guided = BeamDecoder(vocabulary, EXHAUSTIVE, model).decode(log_probs, num_best=4000)
    acoustic = {each.tokens: each.total for each in plain.hypotheses}
    assert len(guided.hypotheses) == len(acoustic)
    for each in guided.hypotheses:
        words = vocabulary.decode(each.tokens).split()
        language = np.log(10) * log10_score(words)
        strangers = sum(word not in UNIGRAMS for word in words)
        worth = ALPHA * language + BETA * len(words) + UNKNOWN * strangers
        assert each.language == pytest.approx(language, abs=1e-5)
        assert each.acoustic == pytest.approx(acoustic[each.tokens], abs=1e-4)
        assert each.total == pytest.approx(acoustic[each.tokens] + worth, abs=1e-4)


def test_the_search_is_compiled_for_all_modes_at_once(tmp_path: Path) -> None:
    numba = pytest.importorskip("numba", reason="beam search needs the extra beam")
    words = LanguageModel.load(write_model(tmp_path, "word"), LETTERS)
    tokens = LanguageModel.load(write_model(tmp_path, "char", {"ab": "▁"}), LETTERS)
    decoders = [
        BeamDecoder(LETTERS),
        BeamDecoder(LETTERS, None, words),
        BeamDecoder(LETTERS, None, tokens),
        BeamDecoder(LETTERS, None, None, [("ab", 1.0)]),
    ]
    assert len({numba.typeof(decoder.tables) for decoder in decoders}) == 1


def test_tokens_add_what_a_model_of_tokens_says(tmp_path: Path) -> None:
    path = write_model(tmp_path, "char", {"ab": "▁"})  # the words of the tables are letters here
    posteriors = np.random.default_rng(3).dirichlet(np.ones(4), size=4)
    log_probs = np.log(posteriors).astype(np.float32)
    decoder = BeamDecoder(LETTERS, EXHAUSTIVE, LanguageModel.load(path, LETTERS))
    acoustic = {
        each.tokens: each.total
        for each in BeamDecoder(LETTERS, EXHAUSTIVE).decode(log_probs, num_best=4000).hypotheses
    }
    for each in decoder.decode(log_probs, num_best=4000).hypotheses:
        words = [{0: "ab", 1: "a", 2: "b"}[token] for token in each.tokens]
        worth = ALPHA * np.log(10) * log10_score(words) + BETA * len(words)
        assert each.total == pytest.approx(acoustic[each.tokens] + worth, abs=1e-4)


def test_chunks_give_what_the_whole_gives(tmp_path: Path) -> None:
    model = LanguageModel.load(write_model(tmp_path, "word"), LETTERS)
    posteriors = np.random.default_rng(4).dirichlet(np.full(4, 0.4), size=80)
    log_probs = np.log(posteriors + 1e-9).astype(np.float32)
    decoder = BeamDecoder(LETTERS, BeamConfig(beam=16), model)
    stream = BeamStream(decoder)
    for start in range(0, 80, 7):
        stream.feed(log_probs[start : start + 7]).result()
    assert stream.result(3) == decoder.decode(log_probs, num_best=3)


@pytest.mark.parametrize("unit", ["word", "char"])
@pytest.mark.parametrize("alpha", [0.4, 3.0])
def test_what_is_given_up_early_would_not_have_been_kept(tmp_path: Path, unit: Unit, alpha: float) -> None:
    vocabulary = Vocabulary(("▁a", "b", "▁", "▁ab", "a", "a▁b", "b▁"))
    names = None if unit == "word" else {"ab": "▁", "a": "a"}
    model = LanguageModel.load(write_model(tmp_path, unit, names), vocabulary)
    config = BeamConfig(beam=6, alpha=alpha, beta=0.7, unknown=-2.0, margin=6.0)
    for seed in range(8):
        posteriors = np.random.default_rng(seed).dirichlet(np.full(8, 0.3), size=40)
        log_probs = np.log(posteriors + 1e-9).astype(np.float32)
        bounded, careful = (
            BeamDecoder(vocabulary, config, model, [("ab a", 2.0), ("ba", 1.5)]) for _ in range(2)
        )
        tokens = careful.tables.tokens
        unbounded = tokens._replace(promises=np.full(len(tokens.promises), np.inf))
        careful.__dict__["tables"] = careful.tables._replace(tokens=unbounded)
        assert bounded.decode(log_probs, num_best=6) == careful.decode(log_probs, num_best=6)


def test_a_model_of_other_tokens_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path, "piece")
    with pytest.raises(LanguageModelError, match="has none of this recognizer's"):
        LanguageModel.load(path, Vocabulary(("x", "y")))


def test_words_do_not_run_together_to_put_off_what_they_cost(tmp_path: Path) -> None:
    model = LanguageModel.load(write_model(tmp_path, "word"), LETTERS)
    word, gap = [[0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]], [0.6, 0.01, 0.01, 0.38]
    log_probs = np.log(np.array([*word, gap, *word, gap, *word])).astype(np.float32)
    narrow = EXHAUSTIVE.model_copy(update={"beam": 2, "beta": 0.0, "unknown": -1.0})
    (best,) = BeamDecoder(LETTERS, narrow, model).decode(log_probs).hypotheses
    assert LETTERS.decode(best.tokens) == "ab ab ab"


@pytest.mark.parametrize(
    ("phrase", "gain"), [("ab", 1.5), ("b", 1.5 - UNKNOWN), ("b ab b", 1.5 - 2 * UNKNOWN)]
)
def test_a_favored_word_pays_nothing_for_being_unknown(tmp_path: Path, phrase: str, gain: float) -> None:
    model = LanguageModel.load(write_model(tmp_path, "word"), LETTERS)
    log_probs = np.log(np.full((6, 4), 0.25)).astype(np.float32)
    plain, favoring = (
        {
            LETTERS.decode(each.tokens): each.total
            for each in BeamDecoder(LETTERS, EXHAUSTIVE, model, favored)
            .decode(log_probs, num_best=4000)
            .hypotheses
        }
        for favored in ([], [(phrase, 1.5)])
    )
    assert favoring[phrase] - plain[phrase] == pytest.approx(gain, abs=1e-4)
    assert favoring["a"] == pytest.approx(plain["a"], abs=1e-4)
