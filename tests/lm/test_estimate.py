"""Models of texts: equal to those of lmplz, proper distributions, the same through files as in memory."""

from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm import external_sort, levels
from linnet.lm.config import EstimationConfig
from linnet.lm.estimate import estimate
from linnet.lm.levels import NgramModel, spell_out
from linnet.lm.sentences import SentenceReader

REFERENCE = Path(__file__).parent / "reference"


TOLERANCE = 1e-5

PRUNED = EstimationConfig(order=3, prune=(0, 0, 1))
LIMITED = EstimationConfig(order=4, discount_fallback=True)


def built(text: Path, config: EstimationConfig, folder: Path, vocab: str = "") -> NgramModel:
    allowed = frozenset((REFERENCE / vocab).read_bytes().split()) if vocab else None
    return estimate(SentenceReader([text]), config, folder, 1 << 20, allowed)


@pytest.mark.parametrize(
    ("name", "config", "vocab"), [("pruned", PRUNED, ""), ("limited", LIMITED, "vocab.txt")]
)
def test_lmplz_makes_the_same_model(
    name: str,
    config: EstimationConfig,
    vocab: str,
    texts: dict[str, Path],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    expected: NgramModel = request.getfixturevalue(name)
    model = built(texts["text"], config, tmp_path, vocab)
    assert model.words == expected.words
    for n, (level, like) in enumerate(zip(model.levels, expected.levels, strict=True), start=1):
        np.testing.assert_array_equal(level.first, like.first)
        np.testing.assert_array_equal(level.parent, like.parent)
        np.testing.assert_allclose(level.log10_probs, like.log10_probs, rtol=0, atol=TOLERANCE)
        if n < config.order:
            np.testing.assert_allclose(level.log10_backoffs, like.log10_backoffs, rtol=0, atol=TOLERANCE)
            # The ARPA file does not say which n-grams go on; reading it finds the same ones.
            np.testing.assert_array_equal(np.signbit(level.log10_backoffs), np.signbit(like.log10_backoffs))


def test_raw_counts_give_lower_orders_as_if_they_were_the_highest(
    texts: dict[str, Path], tmp_path: Path
) -> None:
    models = []
    for order, raw_counts in ((2, False), (3, True), (3, False)):
        (tmp_path / f"{order}-{raw_counts}").mkdir()
        config = EstimationConfig(order=order, raw_counts=raw_counts, discount_fallback=True)
        models.append(built(texts["text"], config, tmp_path / f"{order}-{raw_counts}"))
    lowest, raw, adjusted = models
    begins = lowest.levels[0].log10_backoffs  # of order 2 in both, whatever is below
    np.testing.assert_allclose(raw.levels[0].log10_backoffs, begins, atol=TOLERANCE)
    assert np.abs(adjusted.levels[0].log10_backoffs - begins).max() > 0.01


def test_little_memory_gives_the_same_model(
    texts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    expected = built(texts["text"], LIMITED, tmp_path / "a", "vocab.txt")
    monkeypatch.setattr(external_sort, "_MIN_BLOCK_ROWS", 16)
    monkeypatch.setattr(levels, "PART_ROWS", 10)
    (tmp_path / "b").mkdir()
    reader = SentenceReader([texts["text"]])
    allowed = frozenset((REFERENCE / "vocab.txt").read_bytes().split())
    model = estimate(reader, LIMITED, tmp_path / "b", 1, allowed)
    assert model.words == expected.words
    for level, like in zip(model.levels, expected.levels, strict=True):
        for name in ("first", "parent", "log10_probs", "log10_backoffs"):
            np.testing.assert_array_equal(getattr(level, name), getattr(like, name))


def test_the_words_after_a_context_sum_to_one(texts: dict[str, Path], tmp_path: Path) -> None:
    model = built(texts["text"], EstimationConfig(order=2), tmp_path)
    words, pairs = model.levels
    unigrams = 10.0 ** np.delete(words.log10_probs, 1)  # without <s>
    assert unigrams.sum() == pytest.approx(1, abs=1e-6)
    spelled = spell_out(model.levels)[1]
    for context in np.unique(spelled[:, 0]):
        after = spelled[:, 0] == context
        seen = 10.0 ** pairs.log10_probs[after]
        below = 10.0 ** words.log10_probs[spelled[after, 1]]
        rest = 10.0 ** words.log10_backoffs[context] * (1 - below.sum())
        assert seen.sum() + rest == pytest.approx(1, abs=1e-6)


def test_there_must_be_words(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(LanguageModelError, match="there are no words to learn from"):
        built(tmp_path / "empty.txt", PRUNED, tmp_path)


def test_a_text_without_discounts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\n")
    with pytest.raises(LanguageModelError, match=r"no 1-gram has .* count 2. .* --discount-fallback"):
        built(tmp_path / "a.txt", PRUNED, tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"prune": "1,0"}, "must not fall"),
        ({"prune": "0,0,0,0,1"}, "5 numbers for order 4"),
        ({"order": 99}, "less than or equal to 16"),
    ],
)
def test_a_wrong_choice_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EstimationConfig.model_validate(values)
    assert EstimationConfig.model_validate({"prune": "0,0,1"}).thresholds == (0, 0, 1, 1)
