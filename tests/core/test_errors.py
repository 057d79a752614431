"""The error tree: one base, leaves that are also builtins, messages of three parts."""

import pytest

from linnet.core import errors


def test_a_message_says_where_what_and_the_remedy() -> None:
    error = errors.AudioError("is empty", where="a.wav", remedy="Record it again")
    assert str(error) == "a.wav: is empty. Record it again"
    assert (error.what, error.where, error.remedy) == ("is empty", "a.wav", "Record it again")


def test_a_message_may_be_short() -> None:
    assert str(errors.TextError("no such word")) == "no such word"


@pytest.mark.parametrize(
    ("leaf", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.AudioError, ValueError),
        (errors.TextError, ValueError),
        (errors.ManifestError, ValueError),
        (errors.BundleError, ValueError),
        (errors.CheckpointError, ValueError),
        (errors.ExportError, RuntimeError),
        (errors.TrainingError, RuntimeError),
        (errors.MissingDependencyError, ImportError),
    ],
)
def test_leaves_are_also_builtins(leaf: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(leaf, errors.LinnetError)
    assert issubclass(leaf, builtin)
