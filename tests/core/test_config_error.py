"""Messages about wrong configurations: the user's own key, the value, what is allowed, the nearest key."""

from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from linnet.core.config_error import MAX_LISTED_PROBLEMS, config_error, shorten


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chars(Strict):
    kind: Literal["char"] = "char"
    letters: tuple[str, ...] = ()


class Words(Strict):
    kind: Literal["word"] = "word"
    words: tuple[str, ...] = ()
    case: Literal["lower", "keep"] = "lower"


class NovoGrad(Strict):
    lr: float = 0.01
    betas: tuple[float, float] = (0.95, 0.5)


class Adam(Strict):
    lr: float = 0.001
    epsilon: float = 1e-8


class Stretch(Strict):
    low: float = 0.9
    high: float = 1.1

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Train(Strict):
    manifest: str
    batch_seconds: float = Field(default=240.0, gt=0)
    num_workers: int = 2
    precision: Literal["fp32", "bf16"] = "fp32"
    limit: int | Literal["none"] = "none"
    stretch: Stretch | None = None
    optimizer: NovoGrad | Adam = NovoGrad()
    device: str = "cpu"

    @field_validator("device")
    @classmethod
    def _check_device(cls, value: str) -> str:
        if value not in ("cpu", "gpu"):
            raise ValueError("there is no such device")
        return value


Tokenizer = Annotated[Chars | Words, Field(discriminator="kind")]


class Config(Strict):
    train: Train
    tokenizer: Tokenizer = Chars()
    fallbacks: tuple[Tokenizer, ...] = ()
    stages: list[Train] = []
    by_name: dict[str, Stretch] = {}
    by_letter: dict[Literal["a", "b"], int] = {}
    pair: tuple[int, Stretch] = (1, Stretch())


def message(**values: Any) -> str:
    train = {"manifest": "m", **values.pop("train", {})}
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"train": train, **values})
    return str(config_error(caught.value, Config, "c.yaml"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"train": {"bach_seconds": 3}},
            "c.yaml: train.bach_seconds: unknown key; did you mean train.batch_seconds?",
        ),
        ({"trian": {}}, "c.yaml: trian: unknown key; did you mean train?"),
        ({"num_workers": 3}, "c.yaml: num_workers: unknown key; did you mean train.num_workers?"),
        (
            {"train": {"stretch": {"zzz": 1}}},
            "c.yaml: train.stretch.zzz: unknown key; the keys here are low, high",
        ),
        ({"stages": [{"manifest": "m"}, {}]}, "c.yaml: stages.1.manifest: is missing; give str"),
        (
            {"stages": [{"manifest": "m", "num_worker": 1}]},
            "c.yaml: stages.0.num_worker: unknown key; did you mean stages.0.num_workers?",
        ),
        (
            {"train": {"precision": "bf-16"}},
            "c.yaml: train.precision: 'bf-16' is not one of 'fp32', 'bf16'; did you mean bf16?",
        ),
        (
            {"train": {"batch_seconds": "many"}},
            "c.yaml: train.batch_seconds: 'many' should be a valid number, unable to parse string",
        ),
        ({"train": {"batch_seconds": -1}}, "c.yaml: train.batch_seconds: -1 should be greater than 0"),
        ({"train": {"manifest": ["a"]}}, "c.yaml: train.manifest: ['a'] should be a valid string"),
        ({"train": {"device": "tpu"}}, "c.yaml: train.device: 'tpu': there is no such device"),
        ({"train": {"stretch": {"low": 2}}}, "c.yaml: train.stretch: low 2.0 is above high 1.1"),
        (
            {"train": {"limit": "nine"}},
            "c.yaml: train.limit: 'nine' should be a valid integer, unable to parse string as an integer; "
            "or 'nine' is not 'none'; did you mean none?",
        ),
        ({"tokenizer": {"kind": "char", "leters": []}}, "did you mean tokenizer.letters?"),
        (
            {"tokenizer": {"kind": "word", "case": "upper"}},
            "c.yaml: tokenizer.case: 'upper' is not one of 'lower', 'keep'",
        ),
        (
            {"tokenizer": {"kind": "chars"}},
            "c.yaml: tokenizer.kind: 'chars' is not one of 'char', 'word'; did you mean char?",
        ),
        ({"tokenizer": {"letters": []}}, "c.yaml: tokenizer.kind: is missing; give one of 'char', 'word'"),
        (
            {"fallbacks": [{"kind": "word"}, {"kind": "word", "cases": 1}]},
            "c.yaml: fallbacks.1.cases: unknown key; did you mean fallbacks.1.case?",
        ),
        (
            {"fallbacks": [{"kind": "letter"}]},
            "c.yaml: fallbacks.0.kind: 'letter' is not one of 'char', 'word'",
        ),
        (
            {"by_name": {"a": {"hihg": 1}}},
            "c.yaml: by_name.a.hihg: unknown key; did you mean by_name.a.high?",
        ),
        ({"by_letter": {"c": 1}}, "c.yaml: by_letter.c.[key]: 'c' should be 'a' or 'b'"),
        ({"tokenizer": 3}, "c.yaml: tokenizer: 3 is not a section with the keys kind, letters, words, case"),
        ({"pair": [1, {"lwo": 1}]}, "c.yaml: pair.1.lwo: unknown key; did you mean pair.1.low?"),
        ({"train": {"stretch": 3}}, "c.yaml: train.stretch: 3 is not a section with the keys low, high"),
    ],
)
def test_one_problem_is_one_sentence(values: dict[str, Any], expected: str) -> None:
    assert expected in message(**values)


def test_members_of_a_union_without_a_tag_speak_of_the_same_key() -> None:
    text = message(train={"optimizer": {"lr": "slow", "epsilon": 1}})
    assert "train.optimizer.lr: 'slow' should be a valid number" in text
    assert "train.optimizer.epsilon: unknown key" in text
    assert "NovoGrad" not in text
    assert "Adam" not in text


def test_several_problems_are_a_list() -> None:
    text = message(train={"num_workers": "x", "bach": 1}, tokenizer={"kind": "char", "letters": 3})
    assert text.splitlines()[0] == "c.yaml: 3 problems"
    assert [line.split(":")[0].strip() for line in text.splitlines()[1:]] == [
        "train.num_workers",
        "train.bach",
        "tokenizer.letters",
    ]


def test_a_missing_section_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({})
    assert str(config_error(caught.value, Config, "c.yaml")) == "c.yaml: train: is missing; give a section"


def test_a_flood_of_problems_is_cut() -> None:
    text = message(**{f"key{number}": 1 for number in range(MAX_LISTED_PROBLEMS + 5)})
    assert text.splitlines()[0] == f"c.yaml: {MAX_LISTED_PROBLEMS + 5} problems"
    assert text.splitlines()[-1].strip() == "and 5 more"


def test_a_long_value_is_cut() -> None:
    text = message(train={"num_workers": "9x" * 1000})
    assert len(text) < 250


def test_a_value_with_backslashes_is_shown_as_it_is() -> None:
    assert r"'\\1' should be a valid integer" in message(train={"num_workers": "\\1"})


KEYS = st.sampled_from(
    [
        "train",
        "tokenizer",
        "fallbacks",
        "stages",
        "by_name",
        "pair",
        "kind",
        "lr",
        "limit",
        "optimizer",
        "stretch",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["char", "word", "fp32"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(values=st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_wrong_configuration_gets_a_message(values: dict[str, Any]) -> None:
    try:
        Config.model_validate(values)
    except ValidationError as error:
        text = str(config_error(error, Config, "c.yaml"))
        assert text.startswith("c.yaml: ")
        assert "Input should" not in text


def test_shorten_keeps_short_values() -> None:
    assert shorten("abc") == "'abc'"
    assert len(shorten("a" * 1000)) < 70
