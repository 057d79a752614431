"""VoxForge: sessions, their prompts and who speaks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Prepare = Callable[..., Any]


def test_sessions(tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare) -> None:
    root = tmp_path / "voxforge"
    for session, kind in (
        ("anna-20080428-abc", "wav"),
        ("anna-20090101-xyz", "flac"),
        ("anonymous-20100101-aaa", "wav"),
        ("anonymous-20100101-bbb", "wav"),
    ):
        put_audio(root / session / kind / f"a0001.{kind}")
        name = "prompts-original" if kind == "flac" else "PROMPTS"
        prompts = root / session / "etc" / name
        prompts.parent.mkdir()
        prompts.write_text(f"{session}/mfc/a0001 IT'S ME\n{session}/mfc/a0002 NOT RECORDED\n")
    (root / "silent-20100101-ccc/etc").mkdir(parents=True)
    (root / "silent-20100101-ccc/etc/PROMPTS").write_text("a0001 NOTHING\n")
    (root / "mute-20100101-ddd/etc").mkdir(parents=True)
    corpus = prepared("voxforge", root)
    assert {each.text for each in corpus.all()} == {"IT'S ME"}
    speakers = {each.speaker for each in corpus.all()}
    assert speakers == {
        f"voxforge_{name}" for name in ("anna", "anonymous-20100101-aaa", "anonymous-20100101-bbb")
    }
    assert (
        len({part for part, all_of in corpus.parts.items() for each in all_of if "anna" in each.speaker}) == 1
    )
    reasons = corpus.reasons()
    assert "cannot be opened" in reasons["PROMPTS, line 2"]
    assert reasons["silent-20100101-ccc"] == "there is no wav or flac"
    assert reasons["mute-20100101-ddd"] == "there is no etc/PROMPTS or etc/prompts-original"
