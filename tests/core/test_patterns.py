"""Patterns of dotted names."""

import pytest

from linnet.core.errors import ConfigError
from linnet.core.patterns import chosen, fits

NAMES = ("encoder.blocks.1.norm.weight", "encoder.blocks.10.norm.weight", "head.weight", "head.bias")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("encoder", NAMES[:2]),
        ("encoder.blocks.1", NAMES[:1]),
        ("encoder.blocks.[0-9]", NAMES[:1]),
        ("encoder.*.norm", NAMES[:2]),
        ("*.bias", NAMES[3:]),
        ("head.bias", NAMES[3:]),
        ("enc", ()),
    ],
)
def test_a_pattern_chooses_a_name_and_all_below_it(pattern: str, expected: tuple[str, ...]) -> None:
    assert tuple(name for name in NAMES if fits(name, pattern)) == expected


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [("encodr", "Did you mean encoder"), ("0.x", "There are encoder.blocks, head.weight, head.bias")],
)
def test_a_pattern_that_chooses_nothing_is_refused(pattern: str, hint: str) -> None:
    assert chosen(NAMES, ("head", "*.bias"), "init.freeze") == set(NAMES[2:])
    with pytest.raises(ConfigError, match=f"init.freeze: '{pattern}' is the name of nothing.*{hint}"):
        chosen(NAMES, ("head", pattern), "init.freeze")
