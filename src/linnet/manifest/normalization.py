"""The texts of a manifest in the form of a named normalizer, the original kept beside each."""

from collections.abc import Iterable
from dataclasses import replace

from linnet.core.errors import TextError
from linnet.manifest.selection import LeftOut, Selection
from linnet.manifest.utterance import Utterance
from linnet.text.normalize import normalize, normalizer_version

RAW_TEXT = "raw_text"  # field of a manifest line


def normalize_texts(utterances: Iterable[Utterance], normalizer: str) -> Selection:
    """Normalize texts; what changes keeps its original in the field raw_text, unless one is there already.

    An utterance without a text stays as it is; one whose text cannot be normalized is left out.

    Raises:
        TextError: when there is no such normalizer.
    """
    normalizer_version(normalizer)
    selection = Selection([], [])
    for utterance in utterances:
        try:
            selection.kept.append(_normalized(utterance, normalizer))
        except TextError as error:
            selection.left_out.append(LeftOut(utterance, "the text cannot be normalized", str(error)))
    return selection


def _normalized(utterance: Utterance, normalizer: str) -> Utterance:
    if utterance.text is None:
        return utterance
    text = normalize(utterance.text, normalizer)
    if text == utterance.text:
        return utterance
    return replace(utterance, text=text, extra={RAW_TEXT: utterance.text} | utterance.extra)
