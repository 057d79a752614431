"""Common Voice: tables and clips of any language, old releases and new ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError
from linnet.corpora.hashed_split import hashed_part

Prepare = Callable[..., Any]
PutAudio = Callable[..., Path]

NEW = "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tgender\tvariant\tlocale\tsegment\n"
OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\n"


def new_row(clip: str, sentence: str, client: str = "c0ffee") -> str:
    return f"{client}\t{clip}\t9\t{sentence}\t\t2\t\t\trm-vallader\t\n"


def test_one_language(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    root = tmp_path / "cv-corpus-17.0/rm-vallader"
    for number in range(3):
        put_audio(root / f"clips/cv_rm_{number}.mp3")
    (root / "train.tsv").write_text(
        NEW + new_row("cv_rm_0.mp3", 'El disch: "Schi!') + new_row("cv_rm_1.mp3", "Na.")
    )
    (root / "test.tsv").write_text(NEW + new_row("cv_rm_2.mp3", "Ün ami.", "beef"))
    (root / "other.tsv").write_text(NEW + new_row("none.mp3", "Not validated"))
    corpus = prepared("commonvoice", root)
    assert corpus.texts() == {"train": ['El disch: "Schi!', "Na."], "test": ["Ün ami."]}
    utterance = corpus.parts["train"][0]
    assert (utterance.speaker, utterance.language) == ("commonvoice_c0ffee", "rm-vallader")
    assert corpus.report.skipped == ()


def test_several_languages_of_an_old_release(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    for language in ("cy", "tt"):
        put_audio(tmp_path / f"cv/{language}/clips/abc.mp3")
        (tmp_path / f"cv/{language}/dev.tsv").write_text(OLD + f"x\tabc\tSentence {language}\t2\t0\t\t\t\n")
    corpus = prepared("commonvoice", tmp_path / "cv")
    assert corpus.texts() == {"cy-dev": ["Sentence cy"], "tt-dev": ["Sentence tt"]}
    assert corpus.parts["tt-dev"][0].language == "tt"


def test_a_language_without_official_parts_is_divided_by_speaker(
    tmp_path: Path, put_audio: PutAudio, prepared: Prepare
) -> None:
    clients = [f"client{number}" for number in range(30)]
    put_audio(tmp_path / "xx/clips/a.mp3")
    rows = [new_row("a.mp3", "text", client) for client in clients for _ in range(2)]
    (tmp_path / "xx/validated.tsv").write_text(NEW + "".join(rows))
    corpus = prepared("commonvoice", tmp_path / "xx")
    assert sum(part.num_speakers for part in corpus.report.parts) == 30, "a speaker is in two parts"
    for part, utterances in corpus.parts.items():
        assert {hashed_part(each.speaker) for each in utterances} == {part}


def test_rows_that_cannot_be_used_are_named(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    put_audio(tmp_path / "xx/clips/a.mp3")
    put_audio(tmp_path / "secret.mp3")
    bad = [new_row("../../secret.mp3", "text"), new_row("b.mp3", "text"), new_row("a.mp3", ""), "x\ta.mp3\n"]
    (tmp_path / "xx/train.tsv").write_text(NEW + new_row("a.mp3", "text") + "".join(bad))
    (tmp_path / "xx/dev.tsv").write_text("path\tsentence\na.mp3\ttext\n")
    corpus = prepared("commonvoice", tmp_path / "xx")
    assert corpus.texts() == {"train": ["text"]}
    reasons = corpus.reasons()
    assert reasons["train.tsv, line 3"] == "'../../secret.mp3' is not the name of a clip"
    assert "cannot be opened" in reasons["train.tsv, line 4"]
    assert reasons["train.tsv, line 5"] == reasons["train.tsv, line 6"] == "no text for this audio"
    assert reasons["dev.tsv, line 1"] == "no column client_id"


def test_another_directory_is_refused(tmp_path: Path, prepared: Prepare) -> None:
    (tmp_path / "xx/clips").mkdir(parents=True)
    with pytest.raises(ManifestError, match=r"neither train\.tsv nor validated\.tsv.*clips/ and train\.tsv"):
        prepared("commonvoice", tmp_path / "xx")
