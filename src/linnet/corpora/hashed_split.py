"""Parts of a corpus that brings none: train, dev or test by a hash, so that growth moves no utterance."""

import hashlib

# Of 100 keys; the rest is train.
DEV_PERCENT, TEST_PERCENT = 10, 10

PARTS = ("train", "dev", "test")


def hashed_part(key: str) -> str:
    """Name the part of whatever `key` stands for: a speaker, or a recording where speakers are unknown.

    The first 8 bytes of the key's SHA-256, as a fraction of their range, fall in [0, 0.1) for test, in
    [0.1, 0.2) for dev, and above for train. The part depends on nothing but the key: the same speaker is
    never on two sides, and recordings added later leave the others where they are.
    """
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    percent = int.from_bytes(digest[:8], "big") * 100 / 2**64
    if percent < TEST_PERCENT:
        return "test"
    return "dev" if percent < TEST_PERCENT + DEV_PERCENT else "train"
