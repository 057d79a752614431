"""From decoded tokens to words on the clock of the recording."""

from collections.abc import Iterable, Sequence

import numpy as np

from linnet.core.results import Word
from linnet.decoding.confidence import tempered
from linnet.decoding.greedy import TokenSpan
from linnet.features.clock import Timeline
from linnet.text.vocabulary import BOUNDARY, Vocabulary, join_pieces


def spans_to_words(
    spans: Sequence[TokenSpan], vocabulary: Vocabulary, timeline: Timeline, temperature: float = 1.0
) -> tuple[Word, ...]:
    """Gather tokens into words; joined by spaces they are `vocabulary.decode` of the same tokens.

    A word starts with the first frame of its first token and ends with the last frame of its last token,
    moved by what was measured for the model (`features.clock`); words that would overlap then meet halfway.
    Times never decrease, never overlap and never pass the end; they are rounded to milliseconds. A word is
    right only when each of its tokens is, so its confidence is the least of theirs, brought to the scale of
    `temperature`.

    Args:
        spans: tokens in the order of time.
        vocabulary: what the token ids mean.
        timeline: when the frames are.
        temperature: divides the logit of each confidence (`confidence.tempered`).
    """
    groups = group_words(spans, vocabulary)
    edges_s = word_edges([tokens for _, tokens in groups], timeline)
    return tuple(
        Word(
            text=text,
            start_s=start_s,
            end_s=end_s,
            confidence=round(tempered(min(token.confidence for token in tokens), temperature), 4),
        )
        for (text, tokens), (start_s, end_s) in zip(groups, edges_s, strict=True)
    )


def word_edges(words: Sequence[Sequence[TokenSpan]], timeline: Timeline) -> list[tuple[float, float]]:
    """Place words, each given by its tokens, as (start, end) in seconds."""
    firsts = np.array([tokens[0].start_frame for tokens in words], np.int64)
    lasts = np.array([tokens[-1].end_frame - 1 for tokens in words], np.int64)
    earliest, latest = timeline.centers_s[firsts], timeline.centers_s[lasts]
    starts_s = np.minimum(timeline.starts_s[firsts] + timeline.word_start_shift_s, earliest)
    ends_s = np.maximum(timeline.ends_s[lasts] + timeline.word_end_shift_s, latest)
    # Between the last center of a word and the first of the next there is room for both.
    meets = np.clip((ends_s[:-1] + starts_s[1:]) / 2, latest[:-1], earliest[1:])
    overlap = ends_s[:-1] > starts_s[1:]
    starts_s[1:], ends_s[:-1] = np.where(overlap, meets, starts_s[1:]), np.where(overlap, meets, ends_s[:-1])
    rounded = np.round(np.stack([starts_s, ends_s]), 3)
    return list(zip(*np.clip(rounded, timeline.start_s, timeline.end_s).tolist(), strict=True))


def merge_numbers(words: Sequence[Word]) -> tuple[Word, ...]:
    """Write spoken English numbers as digits (`text.numbers`).

    A number lasts from its first word to its last. It is only right when each of them is, so its confidence
    is the least of theirs.
    """
    from linnet.text.numbers import find_numbers  # only here: most transcriptions go without

    merged = list(words)
    for number in reversed(find_numbers([word.text for word in words])):
        parts = words[number.start : number.end]
        merged[number.start : number.end] = [
            Word(
                text=number.digits,
                start_s=parts[0].start_s,
                end_s=parts[-1].end_s,
                confidence=min(part.confidence for part in parts),
            )
        ]
    return tuple(merged)


def group_words(spans: Iterable[TokenSpan], vocabulary: Vocabulary) -> list[tuple[str, list[TokenSpan]]]:
    """Divide spans among the words they write, and give each word's text and spans."""
    groups: list[list[TokenSpan]] = [[]]
    for span in spans:
        piece = vocabulary.pieces[span.token_id]
        if piece.startswith(BOUNDARY):
            groups.append([])
        if piece != BOUNDARY:  # a lone "▁" is the space between words and has no part in their times
            groups[-1].append(span)
    texts = [join_pieces([vocabulary.pieces[span.token_id] for span in group]) for group in groups]
    return [(text, group) for text, group in zip(texts, groups, strict=True) if text]
