"""Sound twice in a manifest, and what two splits share."""

from collections.abc import Callable, Sequence

from linnet.manifest.checks_splits import Split, check_repeated_sounds, check_splits, sound_key
from linnet.manifest.findings import Finding, Line

LineMaker = Callable[..., Line]


def codes(findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    return [(finding.manifest, finding.line, finding.code) for finding in findings]


def test_the_same_stretch_has_the_same_key(make_line: LineMaker) -> None:
    one, same = (make_line(text, audio="a.wav", offset_s=1.0) for text in ("one", "two"))
    other = make_line("one", audio="a.wav", offset_s=3.0)
    assert sound_key(one, "") == sound_key(same, "")
    assert sound_key(one, "") != sound_key(other, "")
    assert sound_key(one, "digest") == sound_key(other, "digest")


def test_equal_sound_with_equal_text_is_a_copy(make_line: LineMaker) -> None:
    findings = check_repeated_sounds([make_line("One!", 1), make_line("one", 2)], ["x", "x"])
    assert codes(findings) == [("train.jsonl", 2, "duplicate-audio")]


def test_equal_sound_with_another_text_spoils_both_lines(make_line: LineMaker) -> None:
    findings = check_repeated_sounds([make_line("one", 1), make_line("two", 2)], ["x", "x"])
    assert codes(findings) == [
        ("train.jsonl", 1, "contradicting-texts"),
        ("train.jsonl", 2, "contradicting-texts"),
    ]
    assert findings[0].what == "'one' here, 'two' in line 2, with the same sound"


def split(name: str, *lines: Line) -> Split:
    return Split(name, lines, [line.utterance.audio for line in lines])


def test_each_split_is_compared_with_those_before_it(make_line: LineMaker) -> None:
    train = split("train", make_line("a b", 1, speaker="ann"), make_line("c d", 2, speaker="bob"))
    dev = split("dev", make_line("e f", 3, "dev.jsonl", speaker="cas"))
    test = split("test", make_line("C D", 4, "test.jsonl", speaker="bob"))
    assert codes(check_splits([train, dev, test])) == [
        ("test.jsonl", 4, "shared-speaker"),
        ("test.jsonl", 4, "shared-text"),
    ]
    assert check_splits([train]) == []


def test_sound_of_a_later_split_is_reported_where_training_would_use_it(make_line: LineMaker) -> None:
    train = split("train", make_line("a b", 1, audio="same.wav"))
    test = split("test", make_line("c d", 1, "test.jsonl", audio="same.wav"))
    (finding,) = check_splits([train, test])
    assert (finding.manifest, finding.code) == ("train.jsonl", "shared-audio")
    assert "test.jsonl, line 1" in finding.what


def test_a_speaker_is_reported_once_with_the_counts(make_line: LineMaker) -> None:
    train = split("train", *(make_line(f"t {n}", n, speaker="ann") for n in range(1, 4)))
    dev = split("dev", *(make_line(f"d {n}", n, "dev.jsonl", speaker="ann", audio=f"d{n}") for n in (1, 2)))
    (finding,) = check_splits([train, dev])
    assert finding.what == "'ann' speaks 2 lines of dev, 3 of train"


def test_nobody_in_particular_is_no_speaker(make_line: LineMaker) -> None:
    for name in ("", "unknown", "Several"):
        train = split("train", make_line("a b", 1, speaker=name))
        dev = split("dev", make_line("c d", 2, "dev.jsonl", speaker=name))
        assert check_splits([train, dev]) == []
