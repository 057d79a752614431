"""Parts by hash: known values, the shares, and that nothing moves."""

from linnet.corpora.hashed_split import PARTS, hashed_part


def test_known_keys_stay_where_they_are() -> None:
    # A split that changes makes every figure measured on it worthless.
    parts = [hashed_part(f"wavs/LJ001-000{number}.wav") for number in range(1, 10)]
    assert parts == ["train", "train", "train", "test", "train", "train", "dev", "train", "test"]
    assert hashed_part("audiomnist_01") == "train"


def test_the_shares() -> None:
    parts = [hashed_part(f"speaker{number}") for number in range(5000)]
    assert abs(parts.count("dev") / 5000 - 0.1) < 0.02
    assert abs(parts.count("test") / 5000 - 0.1) < 0.02


def test_any_key_has_a_part() -> None:
    for key in ("", "Ünal", "\udcff a name that is not UTF-8", "a" * 10_000):
        assert hashed_part(key) in PARTS
