"""Several manifests as one, each stretch of a recording once."""

import os
from collections.abc import Iterable

from linnet.core.remote import as_url
from linnet.manifest.selection import LeftOut, Selection
from linnet.manifest.utterance import Utterance


def merge_utterances(utterances: Iterable[Utterance]) -> Selection:
    """Keep the first utterance of each recording and offset; the later ones are left out.

    The same file under two paths, through a link or "..", is one recording.
    """
    selection = Selection([], [])
    first: dict[tuple[str, float], Utterance] = {}
    for utterance in utterances:
        audio = as_url(utterance.audio) or os.path.realpath(utterance.audio)
        stretch = (audio, utterance.offset_s)
        if stretch in first:
            differs = first[stretch].text != utterance.text
            reason = "the audio and offset of an earlier line" + (", with another text" if differs else "")
            selection.left_out.append(LeftOut(utterance, reason))
        else:
            first[stretch] = utterance
            selection.kept.append(utterance)
    return selection
