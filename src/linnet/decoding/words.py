"""From decoded tokens to words on the clock of the recording."""

from collections.abc import Iterable, Sequence

from linnet.core.results import Word
from linnet.decoding.greedy import TokenSpan
from linnet.text.vocabulary import BOUNDARY, Vocabulary, join_pieces


def spans_to_words(
    spans: Sequence[TokenSpan],
    vocabulary: Vocabulary,
    frame_shift_s: float,
    duration_s: float,
    start_s: float = 0.0,
) -> tuple[Word, ...]:
    """Gather tokens into words; joined by spaces they are `vocabulary.decode` of the same tokens.

    A word starts with the first frame of its first token and ends with the last frame of its last token. CTC
    models are peaky: they write a token within one or a few frames somewhere inside its sound, so a start is
    right to about a syllable and a word of one token looks shorter than it was spoken. Times never decrease,
    never overlap and never pass the end; they are rounded to milliseconds. The confidence is the mean over
    the word's tokens.

    Args:
        spans: tokens in the order of time.
        vocabulary: what the token ids mean.
        frame_shift_s: seconds from one output frame to the next.
        duration_s: the length of what was decoded, in seconds.
        start_s: where in the recording it starts, in seconds.
    """

    def time_s(frame: int) -> float:
        return min(round(start_s + frame * frame_shift_s, 3), start_s + duration_s)

    words = []
    for text, tokens in _group(spans, vocabulary):
        words.append(
            Word(
                text=text,
                start_s=time_s(tokens[0].start_frame),
                end_s=time_s(tokens[-1].end_frame),
                confidence=round(sum(token.confidence for token in tokens) / len(tokens), 4),
            )
        )
    return tuple(words)


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


def _group(spans: Iterable[TokenSpan], vocabulary: Vocabulary) -> list[tuple[str, list[TokenSpan]]]:
    groups: list[list[TokenSpan]] = [[]]
    for span in spans:
        piece = vocabulary.pieces[span.token_id]
        if piece.startswith(BOUNDARY):
            groups.append([])
        if piece != BOUNDARY:  # a lone "▁" is the space between words and has no part in their times
            groups[-1].append(span)
    texts = [join_pieces([vocabulary.pieces[span.token_id] for span in group]) for group in groups]
    return [(text, group) for text, group in zip(texts, groups, strict=True) if text]
