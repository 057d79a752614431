"""Sections of foreign configurations lose nothing in silence."""

import pytest

from linnet.core.errors import CheckpointError
from linnet.importers.section import Section


def test_every_key_must_be_read_expected_or_ignored() -> None:
    section = Section({"width": 4, "mode": "a", "note": 1, "left": 2, "over": 3}, "x.nemo, encoder")
    assert section.take("width", int) == 4
    section.expect("mode", ["a", "b"])
    section.ignore("note")
    with pytest.raises(CheckpointError, match=r"x\.nemo, encoder: unknown keys: left, over"):
        section.finish()


def test_types_are_checked_and_an_integer_is_a_float() -> None:
    section = Section({"rate": 1, "name": 3, "flag": True, "none": None}, "s")
    assert section.take("rate", float) == 1.0
    assert section.take("none", int, 7) == section.take("missing", int, 7) == 7
    for key, kind, message in (
        ("name", str, "name: 3 is not str"),
        ("flag", int, "flag: True is not int"),
        ("missing", str, "missing is missing"),
    ):
        with pytest.raises(CheckpointError, match=message):
            section.take(key, kind)


def test_unsupported_values_and_non_sections_are_refused() -> None:
    with pytest.raises(CheckpointError, match="mode: 'c' is not supported; known: 'a', None"):
        Section({"mode": "c"}, "s").expect("mode", ["a", None])
    with pytest.raises(CheckpointError, match="is not a section"):
        Section([1], "s")
