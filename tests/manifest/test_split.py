"""Splits: by a hash that a reader can compute, stable under growth, nobody on two sides."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.errors import ConfigError
from linnet.manifest.split import key_fraction, parse_parts, split_utterances
from linnet.manifest.utterance import Utterance

PARTS = {"train": 0.8, "dev": 0.1, "test": 0.1}


def parts_of(utterances: list[Utterance], manifest: str | Path = "m.jsonl", **options: str) -> dict[str, str]:
    """Give the part of each recording."""
    divided = split_utterances(utterances, PARTS, manifest, **options)  # type: ignore[arg-type]  # only texts
    return {Path(each.audio).name: part for part, utterances in divided.items() for each in utterances}


@pytest.fixture
def corpus(make_utterance: Callable[..., Utterance]) -> list[Utterance]:
    """Two hundred recordings of forty speakers."""
    return [make_utterance(f"{number:03}.wav", speaker=f"speaker{number % 40}") for number in range(200)]


def test_the_fraction_is_that_of_the_first_eight_bytes_of_sha256() -> None:
    start = hashlib.sha256("Änne".encode()).hexdigest()[:16]
    assert key_fraction("Änne") == pytest.approx(int(start, 16) / 16**16, abs=1e-15)
    assert key_fraction("Änne", "2") == key_fraction("2\0Änne") != key_fraction("Änne")


@given(st.text())
def test_a_fraction_is_below_one(key: str) -> None:
    assert 0 <= key_fraction(key) < 1


def test_no_speaker_is_in_two_parts(corpus: list[Utterance]) -> None:
    divided = split_utterances(corpus, PARTS, "m.jsonl")
    speakers = [{each.speaker for each in part} for part in divided.values()]
    assert all(speakers)
    assert len(set.union(*speakers)) == sum(map(len, speakers)) == 40
    assert sum(map(len, divided.values())) == 200
    assert [each.audio for each in divided["train"]] == sorted(each.audio for each in divided["train"])


def test_growth_and_order_move_nothing(
    corpus: list[Utterance], make_utterance: Callable[..., Utterance]
) -> None:
    grown = [make_utterance(f"new{number}.wav", speaker=f"new{number}") for number in range(50)]
    before, after = parts_of(corpus), parts_of(grown + corpus[::-1])
    assert {name: after[name] for name in before} == before


def test_the_shares_are_met(make_utterance: Callable[..., Utterance]) -> None:
    many = [make_utterance(f"{number}.wav") for number in range(4000)]
    sizes = {name: len(part) / 4000 for name, part in split_utterances(many, PARTS, "m.jsonl").items()}
    assert sizes == pytest.approx(PARTS, abs=0.02)


def test_without_a_speaker_a_recording_stays_together(make_utterance: Callable[..., Utterance]) -> None:
    cuts = [make_utterance("long.wav", offset_s=float(second)) for second in range(50)]
    by_speaker = split_utterances(cuts, PARTS, "m.jsonl")
    assert sorted(map(len, by_speaker.values())) == [0, 0, 50]
    by_utterance = split_utterances(cuts, PARTS, "m.jsonl", by="utterance")
    assert all(by_utterance.values())


def test_a_corpus_splits_alike_wherever_it_lies(
    make_utterance: Callable[..., Utterance], tmp_path: Path
) -> None:
    def corpus_at(folder: str) -> list[Utterance]:
        return [make_utterance(f"{folder}/clips/{number}.wav") for number in range(100)]

    here = parts_of(corpus_at(str(tmp_path)), tmp_path / "m.jsonl")
    assert parts_of(corpus_at(str(tmp_path / "moved")), tmp_path / "moved/m.jsonl") == here
    assert parts_of(corpus_at("s3://bucket/corpus"), "s3://bucket/corpus/m.jsonl") == here


def test_a_salt_gives_another_split(corpus: list[Utterance]) -> None:
    assert parts_of(corpus, salt="2") == parts_of(corpus, salt="2") != parts_of(corpus)


def test_parts_are_read_in_order() -> None:
    assert list(parse_parts("train = 0.9, dev=0.05,test=.05").items()) == [
        ("train", 0.9),
        ("dev", 0.05),
        ("test", 0.05),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train=0.9,dev=0.2", "the shares add up to 1.1, not to 1"),
        ("train=0.9,train=0.1", "'train=0.1' is not a new name and a share above 0"),
        ("train=1,dev=0", "'dev=0' is not"),
        ("train=nan", "'train=nan' is not"),
        ("../train=1", "'../train=1' is not"),
        ("train", "'train' is not"),
        ("", "'' is not"),
    ],
)
def test_wrong_parts_are_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_parts(text)
    assert words in str(caught.value)
    assert "Write for example train=0.9,dev=0.05,test=0.05" in str(caught.value)
