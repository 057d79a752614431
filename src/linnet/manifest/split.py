"""Parts of a manifest by a hash of the speaker or the recording, so that growth moves no utterance."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from linnet.core.errors import ConfigError
from linnet.core.remote import as_url
from linnet.manifest.jsonl import audio_name
from linnet.manifest.utterance import Utterance

SplitBy = Literal["speaker", "utterance"]

_PART_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_EXAMPLE = "Write for example train=0.9,dev=0.05,test=0.05"


def parse_parts(text: str) -> dict[str, float]:
    """Read the names and shares of parts from a text such as "train=0.9,dev=0.05,test=0.05".

    Raises:
        ConfigError: when a name is no name of a file or comes twice, a share is not above 0, or the shares
            do not add up to 1.
    """
    parts: dict[str, float] = {}
    for item in text.split(","):
        name, _, share = (word.strip() for word in item.partition("="))
        try:
            parts_share = float(share)
        except ValueError:
            parts_share = math.nan
        if not _PART_NAME.fullmatch(name) or name in parts or not 0 < parts_share <= 1:
            what = f"{item.strip()!r} is not a new name and a share above 0"
            raise ConfigError(what, where=f"parts {text!r}", remedy=_EXAMPLE)
        parts[name] = parts_share
    total = math.fsum(parts.values())
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        raise ConfigError(
            f"the shares add up to {total:g}, not to 1", where=f"parts {text!r}", remedy=_EXAMPLE
        )
    return parts


def split_utterances(
    utterances: Sequence[Utterance],
    parts: Mapping[str, float],
    manifest: str | Path,
    *,
    by: SplitBy = "speaker",
    salt: str = "",
) -> dict[str, list[Utterance]]:
    """Divide utterances among parts by their keys, each part in the order of the manifest.

    By speaker, the key is the speaker; where it is unknown, the recording as a manifest in this place names
    it, so that a recording is never on two sides either. By utterance, it is the recording with its offset.
    The part depends on nothing but the key, the salt and the shares.

    Args:
        utterances: what is divided.
        parts: the shares of the parts by their names, which add up to 1.
        manifest: path or URL of the manifest; recordings are named relative to its folder, so that a corpus
            splits alike wherever it lies.
        by: what stays together.
        salt: another text gives another split.
    """
    names = list(parts)
    ends = [math.fsum(list(parts.values())[: index + 1]) for index in range(len(names) - 1)]
    divided: dict[str, list[Utterance]] = {name: [] for name in names}
    place = as_url(manifest) or Path(manifest).parent.resolve()
    for utterance in utterances:
        fraction = key_fraction(_key(utterance, place, by), salt)
        divided[names[sum(fraction >= end for end in ends)]].append(utterance)
    return divided


def key_fraction(key: str, salt: str = "") -> float:
    """Return the place of a key in [0, 1): the first 8 bytes of its SHA-256 as a part of their range.

    A salt, where one is given, stands before the key with a null character between.
    """
    salted = f"{salt}\0{key}" if salt else key
    digest = hashlib.sha256(salted.encode("utf-8", "surrogateescape")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53  # the bits that a float holds: never 1


def _key(utterance: Utterance, place: str | Path, by: SplitBy) -> str:
    if by == "speaker" and utterance.speaker:
        return utterance.speaker
    if isinstance(place, str):
        recording = utterance.audio.removeprefix(place.rpartition("/")[0] + "/")
    else:
        recording = audio_name(utterance, place)
    return recording if by == "speaker" else f"{recording}@{utterance.offset_s!r}"
