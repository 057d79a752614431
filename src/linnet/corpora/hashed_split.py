"""Parts of a corpus that brings none: train, dev or test by a hash, so that growth moves no utterance."""

from linnet.manifest.split import key_fraction

# The rest is train.
DEV_SHARE, TEST_SHARE = 0.1, 0.1

PARTS = ("train", "dev", "test")


def hashed_part(key: str) -> str:
    """Name the part of whatever `key` stands for: a speaker, or a recording where speakers are unknown.

    The key's fraction (`manifest.split.key_fraction`) falls in [0, 0.1) for test, in [0.1, 0.2) for dev, and
    above for train. The part depends on nothing but the key: the same speaker is never on two sides, and
    recordings added later leave the others where they are.
    """
    fraction = key_fraction(key)
    if fraction < TEST_SHARE:
        return "test"
    return "dev" if fraction < TEST_SHARE + DEV_SHARE else "train"
