"""TIMIT: 61 phones folded to 39, the usual parts, copies in either case."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError
from linnet.corpora.timit import CORE_TEST_SPEAKERS, DEV_SPEAKERS, DROPPED, FOLDED_PHONES

Prepare = Callable[..., Any]

PHONES = "0 50 h#\n50 60 q\n60 70 ix\n70 80 tcl\n80 90 t\n90 95 ax-h\n95 99 epi\n99 120 zh\n120 130 h#\n"


@pytest.fixture
def corpus(tmp_path: Path, put_audio: Callable[..., Path], request: pytest.FixtureRequest) -> Path:
    """Sentences of a training, a core test, a development and a further speaker, in the case asked for."""
    case: Callable[[str], str] = request.param
    for place in ("TRAIN/DR1/FCJF0", "TEST/DR1/MDAB0", "TEST/DR1/FAKS0", "TEST/DR1/MREB9"):
        for sentence in ("SA1", "SI1027", "SX127"):
            stem = tmp_path / "train" / case(f"TIMIT/{place}/{sentence}")
            put_audio(stem.with_suffix(case(".WAV")), ".sph")
            stem.with_suffix(case(".PHN")).write_text(PHONES)
            stem.with_suffix(case(".WRD")).write_text("50 90 it\n90 120 is\n")
            stem.with_suffix(case(".TXT")).write_text("0 130 It is.\n")
    return tmp_path / "train" / case("TIMIT")


@pytest.mark.parametrize("corpus", [str.upper, str.lower], indirect=True)
def test_phones_and_words(corpus: Path, tmp_path: Path, prepared: Prepare) -> None:
    phones = prepared("timit", corpus)
    assert phones.texts() == {part: ["sil ih sil t ah sil sh sil"] * 2 for part in ("train", "dev", "test")}
    assert [part[0].speaker for part in phones.parts.values()] == [
        "timit_fcjf0",
        "timit_faks0",
        "timit_mdab0",
    ]
    assert phones.parts["dev"][0].duration_s == 0.25
    words = prepared("timit-words", corpus, force=True)
    assert words.texts() == {part: ["it is"] * 2 for part in ("train", "dev", "test")}


@pytest.mark.parametrize("corpus", [str.upper], indirect=True)
def test_damage_is_named(corpus: Path, shortened: bytes, prepared: Prepare) -> None:
    folder = corpus / "TRAIN/DR1/FCJF0"
    (folder / "SI1027.PHN").write_text("0 50 h#\n50 60 klingon\n")
    (folder / "SX127.WAV").write_bytes(shortened)
    (corpus / "TEST/DR1/MDAB0/SX127.WAV").unlink()
    made = prepared("timit", corpus)
    assert {part: len(utterances) for part, utterances in made.parts.items()} == {"dev": 2, "test": 1}
    reasons = made.reasons()
    assert reasons["SI1027.PHN"].startswith("line 2 is not")
    assert [skipped.reason for skipped in made.report.skipped if "DR1/MDAB0" in skipped.what] == [
        "there is no .wav beside it"
    ]
    assert any("unpack it with sph2pipe -f wav" in skipped.reason for skipped in made.report.skipped)
    assert len(made.report.skipped) == 3


def test_the_folding_is_that_of_lee_and_hon() -> None:
    assert len({*FOLDED_PHONES, DROPPED} - {"sil"}) == 61
    assert len(set(FOLDED_PHONES.values())) == 39
    assert (len(CORE_TEST_SPEAKERS), len(DEV_SPEAKERS)) == (24, 50)
    assert not CORE_TEST_SPEAKERS & DEV_SPEAKERS


def test_the_tables_agree_with_lhotse() -> None:
    recipe = pytest.importorskip("lhotse.recipes.timit", reason="lhotse comes with the extra train")
    theirs = recipe.get_phonemes(39)
    assert {phone: folded for phone, folded in theirs.items() if folded} == FOLDED_PHONES
    dev, test = recipe.get_speakers()
    assert (set(dev), set(test)) == (DEV_SPEAKERS, CORE_TEST_SPEAKERS)


def test_another_directory_is_refused(tmp_path: Path, prepared: Prepare) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ManifestError, match=r"no recording with a text.*TRAIN/DR1/FCJF0"):
        prepared("timit", tmp_path / "in")
