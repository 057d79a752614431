"""What is known of every named size: parameters, cost, subsampling, published error rates and their source.

Plain figures, so that `linnet models` needs no torch. Tests compare them with the models themselves;
`python tools/model_costs.py` counts them anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from linnet.features.config import FrontendConfig


@dataclass(frozen=True, slots=True)
class PublishedWer:
    """Word error rates in percent on two parts of LibriSpeech, greedy and without a language model.

    Attributes:
        clean: on test-clean.
        other: on test-other, where it was given.
        part: "dev" when the figures are those of dev-clean and dev-other.
    """

    clean: float
    other: float | None = None
    part: str = "test"


@dataclass(frozen=True, slots=True)
class Size:
    """One named size.

    Attributes:
        parameters: trained values, with a linear head of `num_outputs`.
        gmac_per_s: billions of multiplications a second of audio, counted over 10 s (attention costs more a
            second in longer audio).
        source: where the figures were published.
        wer: the published error rates, if any.
        num_outputs: outputs of the head with the blank, where they are not those of the architecture.
    """

    parameters: int
    gmac_per_s: float
    source: str
    wer: PublishedWer | None = None
    num_outputs: int | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of one architecture, and what they share.

    Attributes:
        title: its name, as its authors write it.
        paper: where it was described.
        frontend: what features its sizes were published with.
        subsampling: frames in per frame out.
        num_outputs: outputs of the head with the blank.
        sizes: by the names that a configuration uses.
    """

    title: str
    paper: str
    frontend: FrontendConfig
    subsampling: int
    num_outputs: int
    sizes: Mapping[str, Size]


_MEL_64 = FrontendConfig(kind="logmel", num_mels=64, window_ms=20.0)
_LETTERS = 29  # space, a to z, apostrophe, blank

ARCHITECTURES: Mapping[str, Architecture] = {
    "quartznet": Architecture(
        title="QuartzNet",
        paper="arXiv:1910.10261",
        frontend=_MEL_64,
        subsampling=2,
        num_outputs=_LETTERS,
        sizes={
            "5x1": Size(1_991_228, 0.0991, "mdigits, spoken Russian numbers", num_outputs=12),
            "5x3": Size(6_389_580, 0.318, "NeMo v0.10.1, experimental", num_outputs=12),
            "5x5": Size(6_713_181, 0.334, "the paper", PublishedWer(5.39, 15.69, "dev")),
            "10x5": Size(12_818_781, 0.638, "the paper", PublishedWer(4.14, 12.33, "dev")),
            "15x5": Size(18_924_381, 0.942, "the paper", PublishedWer(3.90, 11.28)),
        },
    ),
}
