"""The configuration of the mixture."""

from pathlib import Path

import pytest

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.data.config import DataConfig, SourceConfig

SOURCE = "{manifest: a.jsonl}"


def test_the_repeat_moves_linearly_to_its_final_value() -> None:
    source = SourceConfig(manifest=Path("a.jsonl"), repeat=4.0, final_repeat=1.0)
    assert [source.repeat_at(progress) for progress in (0.0, 0.5, 1.0)] == [4.0, 2.5, 1.0]


def test_a_repeat_without_a_final_value_stays() -> None:
    assert SourceConfig(manifest=Path("a.jsonl"), repeat=0.3).repeat_at(0.9) == 0.3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"dev: [{SOURCE}]", r"train: is missing"),
        (f"train: []\ndev: [{SOURCE}]", r"train: .* at least 1 item"),
        (f"train: [{SOURCE}]\ndev: [{SOURCE}]\nbatch_s: 0", r"batch_s: 0 should be greater than 0"),
        (
            f"train: [{{manifest: a.jsonl, target: known}}]\ndev: [{SOURCE}]",
            r"train\.0\.target: 'known' is not one of 'full', 'known_words', 'auxiliary'",
        ),
        (
            f"train: [{{manifest: a.jsonl, repeats: 2}}]\ndev: [{SOURCE}]",
            r"train\.0\.repeats: unknown key; did you mean train\.0\.repeat\?",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_config(DataConfig, path)
