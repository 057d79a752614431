"""Wall Street Journal: lists, transcripts and recordings, wherever the discs were copied."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError
from linnet.corpora.wsj import plain_text

Prepare = Callable[..., Any]
PutAudio = Callable[..., Path]


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def discs(tmp_path: Path, put_audio: PutAudio) -> Path:
    """One utterance of each list on the discs that hold them, in SPHERE without compression."""
    root = tmp_path / "wsj"
    put(
        root / "11-13.1/wsj0/doc/indices/train/tr_s_wv1.ndx",
        ";; a comment\n11_1_1:wsj0/si_tr_s/01t/01to030v.wv1\n11_1_1:wsj0/si_tr_s/401/40100001.wv1\n",
    )
    put(root / "13-34.1/wsj1/doc/indices/si_tr_s.ndx", "13_1_1: /wsj1/si_tr_s/46b/46bc0202.wv1\n")
    put(root / "13-34.1/wsj1/doc/indices/h1_p0.ndx", "13_16_1: /wsj1/si_dt_20/4k0/4k0c0301.wv1\n")
    put(root / "11-13.1/wsj0/doc/indices/test/nvp/si_et_20.ndx", "11_14_1:wsj0/si_et_20/440/440c0401\n")
    put(
        root / "11-4.1/wsj0/transcrp/dots/si_tr_s/01t/01to030v.dot",
        "The ,COMMA [<cough>] company (01TO030V)\n",
    )
    put(root / "13-34.1/wsj1/trans/wsj1/si_tr_s/46b/46bc0200.dot", "It *rose* . (46bc0202)\nno name\n")
    put(root / "13-16.1/wsj1/trans/si_dt_20/4k0/4k0c0300.dot", "Profit fell (4k0c0301)\n")
    put(root / "11-14.1/wsj0/transcrp/dots/si_et_20/440/440c0400.dot", "He said <so> (440c0401)\n")
    put_audio(root / "11-1.1/wsj0/si_tr_s/01t/01to030v.wv1", ".sph")
    put_audio(root / "13-1.1/wsj1/si_tr_s/46b/46bc0202.wv1", ".sph")
    put_audio(root / "13-16.1/wsj1/si_dt_20/4k0/4k0c0301.wv1", ".sph")
    put_audio(root / "11-14.1/wsj0/si_et_20/440/440c0401.wv1", ".sph")
    put_audio(root / "11-14.1/wsj0/si_et_20/440/440c0401.wv2", ".sph")
    return root


def test_the_lists(discs: Path, prepared: Prepare) -> None:
    corpus = prepared("wsj", discs)
    assert corpus.texts() == {
        "test_dev93": ["Profit fell"],
        "test_eval92": ["He said so"],
        "train_si284": ["The COMMA company", "It rose"],
    }
    assert {each.speaker for each in corpus.parts["train_si284"]} == {"wsj_01t", "wsj_46b"}
    assert corpus.reasons() == {
        "46bc0200.dot, line 2": "no name in parentheses at the end",
        "40100001": "listed in train_si284, but there is no 40100001.wv1, .wav or .flac",
    }


def test_without_lists_the_directories_count(discs: Path, prepared: Prepare) -> None:
    for path in discs.rglob("*.ndx"):
        path.unlink()
    assert {part: len(all_of) for part, all_of in prepared("wsj", discs).parts.items()} == {
        "test_dev93": 1,
        "test_eval92": 1,
        "train_si284": 2,
    }


def test_compressed_recordings_need_unpacking(
    discs: Path, shortened: bytes, put_audio: PutAudio, prepared: Prepare
) -> None:
    for path in discs.rglob("*.wv1"):
        path.write_bytes(shortened)
    unpacked = put_audio(discs / "11-14.1/wsj0/si_et_20/440/440c0401.wav")
    corpus = prepared("wsj", discs)
    assert [each.audio for each in corpus.all()] == [str(unpacked)]
    assert "unpack it with sph2pipe -f wav" in corpus.reasons()["01to030v.dot, line 1"]


def test_another_directory_is_refused(tmp_path: Path, prepared: Prepare) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(
        ManifestError, match=r"no recording with a text.*Give a directory that holds the discs"
    ):
        prepared("wsj", tmp_path / "in")


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("[<door_slam] He said ~", "He said"),
        (r'"DOUBLE\-QUOTE Mr\. Dow .PERIOD', "DOUBLE-QUOTE Mr. Dow PERIOD"),
        ("--DASH *Icahn* . . <and> wo:rd !really", "-DASH Icahn and word really"),
        ("it's five %PERCENT [phone_ring/] [/phone_ring]", "it's five PERCENT"),
    ],
)
def test_marks_of_the_transcripts(marked: str, plain: str) -> None:
    assert plain_text(marked) == plain
