"""Perplexity as KenLM's query counts it; its figures are those of reference/README.md."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.lm.packed import PackedModel
from linnet.lm.perplexity import Perplexity, measure_perplexity
from linnet.lm.sentences import SentenceReader

Packer = Callable[..., PackedModel]


@pytest.mark.parametrize(
    ("name", "with_unknown", "without_unknown", "num_unknown"),
    [
        ("pruned", 31.55687202648458, 30.325574310065605, 1),
        ("limited", 23.961996687984133, 17.725400875732124, 13),
    ],
)
def test_kenlm_finds_the_same(
    name: str,
    with_unknown: float,
    without_unknown: float,
    num_unknown: int,
    packer: Packer,
    texts: dict[str, Path],
    request: pytest.FixtureRequest,
) -> None:
    packed = packer(request.getfixturevalue(name))
    found = measure_perplexity(packed, SentenceReader([texts["unseen"]]))
    assert (found.num_tokens, found.num_unknown) == (51, num_unknown)
    assert found.with_unknown == pytest.approx(with_unknown, abs=1e-4)
    assert found.without_unknown == pytest.approx(without_unknown, abs=1e-4)


def test_nothing_has_no_perplexity() -> None:
    assert str(Perplexity().with_unknown) == "nan"
