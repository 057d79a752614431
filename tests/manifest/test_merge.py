"""Merging: the first line of a stretch counts, however its recording is named."""

from collections.abc import Callable
from pathlib import Path

from linnet.manifest.merge import merge_utterances
from linnet.manifest.utterance import Utterance


def test_the_first_line_of_a_stretch_counts(make_utterance: Callable[..., Utterance], tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "link.wav").symlink_to("a.wav")
    first = make_utterance(str(tmp_path / "a.wav"))
    later_part = make_utterance(str(tmp_path / "a.wav"), offset_s=1.0)
    linked = make_utterance(str(tmp_path / "sub/../link.wav"))
    other_text = make_utterance(str(tmp_path / "a.wav"), text="bye")
    (tmp_path / "sub").mkdir()
    selection = merge_utterances([first, later_part, linked, other_text])
    assert selection.kept == [first, later_part]
    assert [(each.utterance, each.reason) for each in selection.left_out] == [
        (linked, "the audio and offset of an earlier line"),
        (other_text, "the audio and offset of an earlier line, with another text"),
    ]


def test_urls_are_compared_as_they_are(make_utterance: Callable[..., Utterance]) -> None:
    utterances = [make_utterance("s3://bucket/a.wav"), make_utterance("s3://bucket//a.wav")]
    assert merge_utterances(utterances).kept == utterances
    assert len(merge_utterances([*utterances, *utterances]).left_out) == 2
