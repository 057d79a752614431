"""Configurations: YAML without surprises, overrides, `${config_dir}`, and errors that name the place."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from linnet.core.config import MAX_CONFIG_BYTES, load_config
from linnet.core.errors import ConfigError


class Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: int = 256
    repeat: int = 1


class Train(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    lr: float = 0.01
    seed: int | None = 1
    language: str = "en"
    manifest: Path = Path("train.jsonl")
    speeds: tuple[float, ...] = (1.0,)
    blocks: tuple[Block, ...] = ()
    extra: dict[str, Any] = {}


class Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "nameless"
    train: Train = Train()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def load(path: Path, text: str, *overrides: str) -> Config:
    path.write_text(text, encoding="utf-8")
    return load_config(Config, path, overrides)


def complaint(path: Path, text: str | bytes, *overrides: str) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(Config, path, overrides)
    return str(caught.value).replace(str(path), "FILE")


def test_what_the_file_leaves_out_keeps_its_default(path: Path) -> None:
    config = load(path, "train:\n  lr: 0.5\n")
    assert config.train.lr == 0.5
    assert config.train.language == "en"


def test_an_empty_file_is_all_defaults(path: Path) -> None:
    assert load(path, "# nothing yet\n") == Config()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),  # YAML 1.1 would read False, and a Norwegian model would have no language
        ("on", "on"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("<<", "<<"),
        ("1e-3", 0.001),
        ("-.5E2", -50.0),
        ("1.", 1.0),
        (".inf", float("inf")),
        ("0x10", 16),
        ("-7", -7),
        ("True", True),
        ("~", None),
        ("", None),
        ("'null'", "null"),
    ],
)
def test_scalars_follow_the_core_schema(path: Path, written: str, meant: object) -> None:
    assert load(path, f"train: {{extra: {{key: {written}}}}}").train.extra == {"key": meant}


def test_overrides_apply_in_order_and_are_yaml(path: Path) -> None:
    config = load(
        path,
        "train: {lr: 1, blocks: [{filters: 1}, {filters: 2}]}",
        "train.lr=1e-3",
        "train.seed=null",
        "train.speeds=[0.9, 1.1]",
        "train.blocks.1.repeat=5",
        "train.extra.a.b=c=d",
        "train.language=",
        "name=a",
        "name=b",
    )
    assert config.train == Train(
        lr=0.001,
        seed=None,
        speeds=(0.9, 1.1),
        blocks=(Block(filters=1), Block(filters=2, repeat=5)),
        extra={"a": {"b": "c=d"}},
        language="",
    )
    assert config.name == "b"


def test_an_override_below_a_null_makes_the_section(path: Path) -> None:
    assert load(path, "train: null", "train.seed=3").train.seed == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.lr", "is not of the form key.sub=value"),
        ("=3", "is not of the form key.sub=value"),
        ("train..lr=3", "is not of the form key.sub=value"),
        ("name.first=Anna", "name is 'x' and has no keys"),
        ("train.blocks.1.repeat=2", "train.blocks is a list of 1; '1' is not a place in it (0 is the first)"),
        ("train.blocks.-1.repeat=2", "train.blocks is a list of 1; '-1' is not a place"),
        ("train.blocks.first=2", "train.blocks is a list of 1; 'first' is not a place"),
        ("train.speeds=[1, 2", "line 1"),
    ],
)
def test_a_bad_override_is_named(path: Path, override: str, message: str) -> None:
    text = complaint(path, "name: x\ntrain: {blocks: [{}]}", override)
    assert text.startswith(f"override {override!r}")
    assert message in text


def test_an_error_tells_which_overrides_were_given(path: Path) -> None:
    assert complaint(path, "name: x", "train.lr=fast").startswith(
        "FILE (with train.lr=fast): train.lr: 'fast'"
    )


def test_config_dir_is_the_place_of_the_file(path: Path) -> None:
    config = load(path, "train: {manifest: '${config_dir}/a.jsonl', extra: {all: ['${config_dir}']}}")
    assert config.train.manifest == path.parent / "a.jsonl"
    assert config.train.extra == {"all": [str(path.parent)]}


def test_config_dir_works_in_an_override(path: Path) -> None:
    assert load(path, "", "train.manifest=${config_dir}/b.jsonl").train.manifest == path.parent / "b.jsonl"


@pytest.mark.parametrize("name", ["${env:HOME}", "${train.lr}", "${config_dri}"])
def test_another_interpolation_is_refused_with_its_key(path: Path, name: str) -> None:
    text = complaint(path, f"train: {{extra: {{all: ['', '{name}']}}}}")
    assert f"FILE: train.extra.all.1: {name} is unknown" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ntrain:\n  lr: 1\nname: b\n", "FILE, line 4: the key 'name' was already given in line 1"),
        ("train:\n  lr: 1\n  lr: 2\n", "FILE, line 3: the key 'lr' was already given in line 2"),
        ("a: &x 1\nb: *x\n", "FILE, line 2: aliases (*name) are not supported"),
        ("train: &x\n  extra: {y: *x}\n", "FILE, line 2: aliases (*name) are not supported"),
        ("1: a\n", "FILE, line 1: a key must be a plain string"),
        ("? [a]\n: b\n", "FILE, line 1: a key must be a plain string"),
        (
            "name: !!python/object/apply:os.system ['true']\n",
            "FILE, line 1: could not determine a constructor",
        ),
        ("name: [1, 2\ntrain: 3\n", "FILE, line 2"),
        ("name: a\n---\nname: b\n", "FILE, line 2"),
        ("- a\n- b\n", "FILE: holds a list, not keys with values"),
        ("just words", "FILE: holds a str, not keys with values"),
        (b"name: \xff\xfe\n", "FILE: is not valid YAML"),
        (b"name: a\x00b\n", "FILE: is not valid YAML"),
        ("name: " + "[" * 600, "FILE: is nested too deeply"),
        (f"train: {{seed: {'9' * 10_000}}}", "FILE: is not valid YAML"),
        ("#" * (MAX_CONFIG_BYTES + 1), f"FILE: is larger than {MAX_CONFIG_BYTES} bytes"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_its_line(
    path: Path, text: str | bytes, message: str
) -> None:
    assert message in complaint(path, text)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such configuration file.*relative to the current"):
        load_config(Config, tmp_path / "absent.yaml")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(Config, tmp_path)
