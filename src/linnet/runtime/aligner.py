"""From a recording and its text to the times of the words: log-probs in segments, one alignment over all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs, Samples
from linnet.core.errors import TextError
from linnet.core.optional import require
from linnet.core.results import AlignedText, AlignedToken, AlignedWord
from linnet.decoding.alignment import AlignConfig, align
from linnet.decoding.greedy import TokenSpan
from linnet.decoding.words import group_words, spans_to_words
from linnet.features.clock import Timeline
from linnet.runtime.recognizer import Recognizer
from linnet.text.normalize import normalize
from linnet.text.spelling import tokenizer_from_pieces
from linnet.text.vocabulary import BOUNDARY

MAX_NAMED_LINES = 5

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as token ids, and the line of each of its words."""

    ids: list[int]
    word_lines: list[int]


class Aligner:
    """Finds when the words of a known text were said.

    Args:
        recognizer: the model.
        config: what can be chosen.

    Raises:
        MissingDependencyError: when numba is not installed.
    """

    def __init__(self, recognizer: Recognizer, config: AlignConfig | None = None) -> None:
        require("numba", extra="beam", purpose="forced alignment")
        self.recognizer, self.config = recognizer, config or AlignConfig()
        spec = recognizer.bundle.spec
        self._tokenizer = tokenizer_from_pieces(recognizer.bundle.vocabulary, spec.vocabulary)

    def align(
        self, samples: Samples, lines: Sequence[str], progress: Progress = lambda done_s: None
    ) -> AlignedText:
        """Align a text to a recording of any length.

        The network runs over segments as in a transcription, and only the posteriors of tokens that the text
        has are kept.

        Args:
            samples: (N,) mono float32 at the recognizer's rate.
            lines: the text.
            progress: called with the seconds of sound that went through the network.

        Raises:
            AudioError: when the recording holds NaN or infinity.
            ConfigError: when the recording is too short for the text.
            TextError: when a word cannot be written with the model's tokens; each line of such is named.
        """
        text = self._encode(lines)
        blank_id = self.recognizer.bundle.spec.blank_id
        columns = np.unique([*text.ids, blank_id])
        log_probs, timeline = self._log_probs(samples, columns, progress)
        found = align(log_probs, np.searchsorted(columns, text.ids).tolist(), len(columns) - 1)
        spans = [
            TokenSpan(token_id, span.start_frame, span.end_frame, span.confidence)
            for token_id, span in zip(text.ids, found.spans, strict=True)
        ]
        return AlignedText(
            words=tuple(self._words(spans, found.scores, timeline, text.word_lines)),
            log_prob=round(found.log_prob, 4),
            duration_s=len(samples) / self.recognizer.sample_rate_hz,
            model=self.recognizer.name,
        )

    def _encode(self, lines: Sequence[str]) -> _Text:
        normalizer = self.config.normalizer or self.recognizer.normalizer
        separated = self.recognizer.bundle.spec.vocabulary in ("char", "tevr", "byte")
        space = self.recognizer.bundle.vocabulary.pieces.index(BOUNDARY) if separated else None
        ids: list[int] = []
        word_lines: list[int] = []
        problems = []
        for number, line in enumerate(lines, start=1):
            text = normalize(line, normalizer)
            try:
                found = self._tokenizer.encode(text)
            except TextError as error:
                problems.append(f"line {number}: {error.what}")
                continue
            ids += [space, *found] if space is not None and ids and found else found
            word_lines += [number] * len(text.split())
        if problems:
            raise _unwritable(problems, normalizer)
        if not ids:
            raise TextError("the text has no words", remedy="Give what is said in the recording")
        return _Text(ids, word_lines)

    def _log_probs(
        self, samples: Samples, columns: NDArray[np.int_], progress: Progress
    ) -> tuple[LogProbs, Timeline]:
        clock, timelines, parts = self.recognizer.bundle.spec.clock, [], []
        for segment, log_probs in self.recognizer.segment_log_probs([samples]):
            timelines.append(clock.timeline(len(log_probs), segment.duration_s, segment.start_s))
            parts.append(log_probs[:, columns])
            progress(segment.start_s + segment.duration_s)
        if not parts:
            return np.empty((0, len(columns)), np.float32), clock.timeline(0, 0.0)
        return np.concatenate(parts), Timeline.joined(timelines)

    def _words(
        self,
        spans: Sequence[TokenSpan],
        scores: Sequence[float],
        timeline: Timeline,
        word_lines: Sequence[int],
    ) -> Iterator[AlignedWord]:
        bundle = self.recognizer.bundle
        score_of = dict(zip(spans, scores, strict=True))
        words = spans_to_words(spans, bundle.vocabulary, timeline, bundle.spec.confidence_temperature)
        groups = [tokens for _, tokens in group_words(spans, bundle.vocabulary)]
        for word, tokens, line in zip(words, groups, word_lines, strict=True):
            num_frames = [token.end_frame - token.start_frame for token in tokens]
            score = float(np.average([score_of[token] for token in tokens], weights=num_frames))
            edges_s = _token_edges(tokens, timeline, word.start_s, word.end_s)
            yield AlignedWord(
                text=word.text,
                start_s=word.start_s,
                end_s=word.end_s,
                confidence=word.confidence,
                score=round(score, 4),
                spoken=score >= self.config.min_score,
                line=line,
                tokens=tuple(
                    AlignedToken(
                        text=bundle.vocabulary.pieces[token.token_id].removeprefix(BOUNDARY),
                        start_s=start_s,
                        end_s=end_s,
                        score=round(score_of[token], 4),
                    )
                    for token, start_s, end_s in zip(tokens, edges_s[:-1], edges_s[1:], strict=True)
                ),
            )


def _token_edges(
    tokens: Sequence[TokenSpan], timeline: Timeline, start_s: float, end_s: float
) -> list[float]:
    """Share a word's time among its tokens: one lasts until halfway to the next."""
    lasts = [token.end_frame - 1 for token in tokens[:-1]]
    firsts = [token.start_frame for token in tokens[1:]]
    middles_s = (timeline.centers_s[lasts] + timeline.centers_s[firsts]) / 2 if firsts else np.zeros(0)
    return [start_s, *np.clip(np.round(middles_s, 3), start_s, end_s).tolist(), end_s]


def _unwritable(problems: Sequence[str], normalizer: str) -> TextError:
    more = f"; and {len(problems) - MAX_NAMED_LINES} more lines" if len(problems) > MAX_NAMED_LINES else ""
    return TextError(
        f"the model cannot write this text (normalizer {normalizer!r}): "
        + "; ".join(problems[:MAX_NAMED_LINES])
        + more,
        remedy="Write these words with the letters or words of the model, numbers as they are spoken "
        "(--normalizer english says them in words), or take them out",
    )
