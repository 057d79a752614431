"""From decoded tokens to words on the clock of the recording."""

from collections.abc import Iterable, Sequence

from linnet.core.results import Word
from linnet.decoding.greedy import TokenSpan
from linnet.text.vocabulary import BOUNDARY, Vocabulary


def spans_to_words(
    spans: Sequence[TokenSpan], vocabulary: Vocabulary, frame_shift_s: float, duration_s: float
) -> tuple[Word, ...]:
    """Gather tokens into words; joined by spaces they are `vocabulary.decode` of the same tokens.

    A word starts with the first frame of its first token and ends with the last frame of its last token. CTC
    models are peaky: they write a token within one or a few frames somewhere inside its sound, so a start is
    right to about a syllable and a word of one token looks shorter than it was spoken. Times never decrease,
    never overlap and never pass `duration_s`; they are rounded to milliseconds. The confidence is the mean
    over the word's tokens.

    Args:
        spans: tokens in the order of time.
        vocabulary: what the token ids mean.
        frame_shift_s: seconds from one output frame to the next.
        duration_s: the length of the recording in seconds.
    """
    words = []
    for text, tokens in _group(spans, vocabulary):
        words.append(
            Word(
                text=text,
                start_s=min(round(tokens[0].start_frame * frame_shift_s, 3), duration_s),
                end_s=min(round(tokens[-1].end_frame * frame_shift_s, 3), duration_s),
                confidence=sum(token.confidence for token in tokens) / len(tokens),
            )
        )
    return tuple(words)


def _group(spans: Iterable[TokenSpan], vocabulary: Vocabulary) -> list[tuple[str, list[TokenSpan]]]:
    groups: list[tuple[str, list[TokenSpan]]] = [("", [])]
    for span in spans:
        piece = vocabulary.pieces[span.token_id]
        if piece.startswith(BOUNDARY):
            groups.append(("", []))
        letters = piece.removeprefix(BOUNDARY)
        if letters:  # a lone "▁" is the space between words and has no part in their times
            text, tokens = groups[-1]
            groups[-1] = (text + letters, [*tokens, span])
    return [group for group in groups if group[0]]
