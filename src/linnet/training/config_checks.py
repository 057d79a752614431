"""Checks of manifest lines against a training configuration: vocabulary, CTC's need of frames, lengths."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from linnet.core.errors import TextError
from linnet.data.config import SourceConfig
from linnet.data.examples import Example, TextEncoder, encode_example, is_known
from linnet.manifest.checks_audio import TOLERANCE, Header
from linnet.manifest.checks_text import shown
from linnet.manifest.findings import Finding, Line, found
from linnet.models.encoders import WAVEFORM_ENCODERS
from linnet.text.normalize import normalize
from linnet.training.config import TrainConfig
from linnet.training.datamodule import text_encoder


def check_lines(
    config: TrainConfig, lines: Sequence[Line], headers: Mapping[str, Header], sources: Sequence[SourceConfig]
) -> list[Finding]:
    """Check lines as the sources of a configuration use them.

    Args:
        config: the run.
        lines: of one manifest.
        headers: of their recordings.
        sources: those of the configuration that read this manifest; several may, to different ends.
    """
    encoder = text_encoder(config)
    findings = [finding for line in lines for finding in _check_audio(config, line, headers)]
    for source in sources:
        findings += [finding for line in lines for finding in _check_text(config, source, encoder, line)]
    return list(dict.fromkeys(findings))


def sources_of(config: TrainConfig, manifest: Path) -> list[SourceConfig]:
    """Find what a configuration reads from a manifest; one that it does not name counts as a plain source."""
    sources = (*config.data.train, *config.data.dev)
    same = [source for source in sources if source.manifest.resolve() == manifest.resolve()]
    return same or [SourceConfig(manifest=manifest)]


def longest_examples(
    config: TrainConfig, lines: Iterable[Line], faulty: Iterable[Finding], count: int
) -> list[Example]:
    """Encode the longest lines that the run would train on.

    Args:
        config: the run.
        lines: of all manifests.
        faulty: findings; lines that these leave out are passed over.
        count: how many examples at most.
    """
    bad = {(finding.manifest, finding.line) for finding in faulty if finding.leaves_out}
    data, encoder = config.data, text_encoder(config)
    examples: list[Example] = []
    for line in sorted(lines, key=lambda line: -line.utterance.duration_s):
        inside = data.min_duration_s <= line.utterance.duration_s <= data.max_duration_s
        if not inside or line.utterance.text is None or (str(line.manifest), line.number) in bad:
            continue
        source = sources_of(config, line.manifest)[0]
        text = normalize(line.utterance.text, config.model.normalizer)
        if source.only_known_words and not is_known(text, encoder):
            continue
        examples.append(encode_example(0, source, line.utterance, text, encoder))
        if len(examples) == count:
            break
    return examples


def needed_frames(tokens: Sequence[int]) -> int:
    """Count the frames that CTC needs at least: one for each label, and a blank between two equal ones."""
    return len(tokens) + sum(left == right for left, right in pairwise(tokens))


def output_frames(config: TrainConfig, duration_s: float) -> int:
    """Count the frames S that the encoder makes of `duration_s`: "same" padding keeps ceil(T / stride)."""
    num_frames = config.model.frontend.num_frames(round(duration_s * config.model.frontend.sample_rate_hz))
    encoder = config.model.encoder
    if isinstance(encoder, WAVEFORM_ENCODERS):  # its convolutions do not pad
        return max(0, (num_frames - encoder.window_samples) // encoder.subsampling + 1)
    return -(-num_frames // encoder.subsampling)


def _check_audio(config: TrainConfig, line: Line, headers: Mapping[str, Header]) -> Iterator[Finding]:
    data, duration_s = config.data, line.utterance.duration_s
    if not data.min_duration_s <= duration_s <= data.max_duration_s:
        what = f"lasts {duration_s:.2f} s, outside {data.min_duration_s:g} to {data.max_duration_s:g} s"
        yield found("outside-durations", line, what)
    info, model_hz = headers[line.utterance.audio].info, config.model.frontend.sample_rate_hz
    if info and info.sample_rate_hz < (1 - TOLERANCE) * model_hz:
        what = f"{Path(line.utterance.audio).name} has {info.sample_rate_hz} Hz, the model {model_hz} Hz"
        yield found("low-rate", line, what)


def _check_text(
    config: TrainConfig, source: SourceConfig, encoder: TextEncoder, line: Line
) -> Iterator[Finding]:
    """Encode the text as the source does, for each head that is trained on it."""
    if line.utterance.text is None:
        return
    text = normalize(line.utterance.text, config.model.normalizer)
    if source.only_known_words and not is_known(text, encoder):
        return
    try:
        example = encode_example(0, source, line.utterance, text, encoder)
    except TextError as error:
        yield found("outside-vocabulary", line, f"{error.what}: {shown(text)}", error.remedy)
        return
    frames = output_frames(config, line.utterance.duration_s)
    for tokens in (example.tokens or (), example.auxiliary_tokens or ()):
        if needed_frames(tokens) > frames:
            what = f"{len(tokens)} labels need {needed_frames(tokens)} frames, the model makes {frames}"
            yield found("ctc-infeasible", line, f"{what} of {line.utterance.duration_s:.2f} s")
