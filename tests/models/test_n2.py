"""N2's plan differs from DeepSpeech2's where its training program does."""

import pytest

from linnet.models.deepspeech2 import deepspeech2
from linnet.models.n2 import n2


def test_it_has_a_third_convolution_and_lstms() -> None:
    ours, theirs = n2("base"), deepspeech2("large")
    assert ours.convolutions[:2] == theirs.convolutions
    assert [(each.filters, each.kernel, each.stride) for each in ours.convolutions[2:]] == [
        (64, (11, 21), (1, 2))
    ]
    assert (ours.cell, theirs.cell) == ("lstm", "gru")
    assert ours.subsampling == theirs.subsampling == 2


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="large"):
        n2("large")
