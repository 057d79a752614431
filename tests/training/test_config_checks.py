"""Lines against a configuration: what its vocabulary writes, what CTC needs, which source wants what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("lightning", reason="training needs the extra train")

from linnet.audio.decoder import AudioInfo
from linnet.data.config import SourceConfig
from linnet.manifest.checks_audio import Header
from linnet.manifest.findings import Line, found
from linnet.manifest.utterance import Utterance
from linnet.training.config import TrainConfig
from linnet.training.config_checks import (
    check_lines,
    longest_examples,
    needed_frames,
    output_frames,
    sources_of,
)
from linnet.training.module import CtcTraining

ConfigMaker = Callable[..., TrainConfig]
LETTERS = "model.tokenizer={kind: char}"


def line(text: str | None, number: int = 1, duration_s: float = 2.0) -> Line:
    return Line(Path("a.jsonl"), number, Utterance(audio="a.wav", duration_s=duration_s, text=text))


def codes(
    config: TrainConfig, lines: list[Line], rate_hz: int = 16000, **source: Any
) -> list[tuple[int, str]]:
    headers = {"a.wav": Header(AudioInfo(99.0, rate_hz, 1))}
    sources = [SourceConfig(manifest=Path("a.jsonl"), **source)]
    return [(finding.line, finding.code) for finding in check_lines(config, lines, headers, sources)]


def test_words_that_the_vocabulary_lacks_are_named(make_config: ConfigMaker) -> None:
    headers = {"a.wav": Header(AudioInfo(99.0, 16000, 1))}
    sources = [SourceConfig(manifest=Path("a.jsonl"))]
    (finding,) = check_lines(make_config(), [line("One, three!"), line("TWO", 2)], headers, sources)
    assert (finding.line, finding.code) == (1, "outside-vocabulary")
    assert "the word 'three'" in finding.what


def test_a_source_says_what_it_takes_of_a_text(make_config: ConfigMaker) -> None:
    config = make_config("auxiliary={tokenizer: {kind: char, pieces: [n, o, e], skip_unknown: true}}")
    lines = [line("one three")]
    assert codes(config, lines) == [(1, "outside-vocabulary")]
    assert codes(config, lines, only_known_words=True) == []
    assert codes(config, lines, target="known_words") == []
    assert codes(config, lines, target="auxiliary") == []


def test_ctc_needs_a_blank_between_equal_labels() -> None:
    assert needed_frames([]) == 0
    assert needed_frames([1, 2, 3]) == 3
    assert needed_frames([1, 1, 2, 2, 2]) == 8


def test_frames_are_counted_as_the_model_makes_them(make_config: ConfigMaker) -> None:
    config = make_config()
    model = CtcTraining(config).model.eval()
    for num_samples in (1600, 1759, 1760, 32000):
        features, lengths = model.frontend(torch.zeros(1, num_samples), torch.tensor([num_samples]))
        assert output_frames(config, num_samples / 16000) == int(model(features, lengths)[1])


@pytest.mark.parametrize(("text", "feasible"), [("a" * 13, True), ("ab" * 12, True), ("ab" * 13, False)])
def test_a_text_must_fit_its_frames(make_config: ConfigMaker, text: str, feasible: bool) -> None:
    config = make_config(LETTERS)  # 0.5 s give 25 frames
    assert output_frames(config, 0.5) == 25
    assert codes(config, [line(text, duration_s=0.5)]) == ([] if feasible else [(1, "ctc-infeasible")])


def test_lengths_and_rates_are_those_of_the_configuration(make_config: ConfigMaker) -> None:
    config = make_config("data.max_duration_s=3")
    assert codes(config, [line("one", duration_s=3.1)]) == [(1, "outside-durations")]
    assert codes(config, [line("one")], rate_hz=8000) == [(1, "low-rate")]
    assert codes(config, [line("one")], rate_hz=48000) == []


def test_a_manifest_that_the_configuration_does_not_name_is_a_plain_source(
    make_config: ConfigMaker, tone_corpus: Path
) -> None:
    config = make_config("data.train.0.target=known_words")
    assert [source.target for source in sources_of(config, tone_corpus / "train.jsonl")] == ["known_words"]
    assert sources_of(config, Path("other.jsonl")) == [SourceConfig(manifest=Path("other.jsonl"))]


def test_the_longest_examples_are_those_that_training_would_use(make_config: ConfigMaker) -> None:
    config = make_config("data.max_duration_s=5")
    lines = [
        *(line("one", 1, 1.0), line("two", 2, 3.0), line("one two", 3, 4.0)),
        line("one", 4, 5.5),  # too long
        line(None, 5, 4.5),
        line("three", 6, 4.4),
    ]
    faulty = [found("silent-audio", lines[1], ""), found("outside-vocabulary", lines[5], "")]
    examples = longest_examples(config, lines, faulty, 2)
    assert [example.utterance.duration_s for example in examples] == [4.0, 1.0]
