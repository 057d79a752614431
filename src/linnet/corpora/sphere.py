"""NIST SPHERE recordings as the LDC ships them: which of them libsndfile cannot read."""

from pathlib import Path

MAX_HEADER_BYTES = 4096


def is_shortened(audio: Path) -> bool:
    """Whether a file is SPHERE compressed with shorten, which libsndfile does not unpack."""
    try:
        with audio.open("rb") as file:
            header = file.read(MAX_HEADER_BYTES)
    except (OSError, ValueError):
        return False
    return header.startswith(b"NIST_1A") and b"embedded-shorten" in header
