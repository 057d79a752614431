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
        frontend: the features, where they are not those of the architecture.
    """

    parameters: int
    gmac_per_s: float
    source: str
    wer: PublishedWer | None = None
    num_outputs: int | None = None
    frontend: FrontendConfig | None = None


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

    def num_outputs_of(self, size: str) -> int:
        """Outputs that a size was published with, the blank among them."""
        return self.sizes[size].num_outputs or self.num_outputs

    def frontend_of(self, size: str) -> FrontendConfig:
        """Features that a size was published with."""
        return self.sizes[size].frontend or self.frontend


_MEL_64 = FrontendConfig(kind="logmel", num_mels=64, window_ms=20.0)
_MEL_80 = FrontendConfig(kind="logmel", num_mels=80, window_ms=25.0)
_SPECTRUM_160 = FrontendConfig(
    kind="spectrogram",
    num_bins=160,
    n_fft=320,
    preemphasis=0.0,
    normalize="all_features",
    pad_mode="reflect",
    log_guard=1e-30,
    log_guard_mode="clamp",
)
_SPECTRUM_96 = _SPECTRUM_160.model_copy(update={"num_bins": 96})
_N2 = FrontendConfig(
    kind="spectrogram",
    compression="sqrt",
    n_fft=384,
    window_ms=16.0,
    periodic_window=True,
    preemphasis=0.0,
    normalize="per_frame",
    pad_mode="reflect",
)
_WAVEFORM = FrontendConfig(kind="waveform")
_WAVEFORM_30 = FrontendConfig(kind="waveform", window_ms=30.0)
_LETTERS = 29  # space, a to z, apostrophe, blank
_PIECES_128, _PIECES_1024 = 129, 1025  # with the blank

ARCHITECTURES: Mapping[str, Architecture] = {
    "citrinet": Architecture(
        title="Citrinet",
        paper="arXiv:2104.01721",
        frontend=_MEL_80,
        subsampling=8,
        num_outputs=_PIECES_1024,
        sizes={
            "128": Size(2_994_705, 0.0768, "made for small corpora, unpublished"),
            "128-gamma025": Size(2_757_905, 0.0709, "made for small corpora, unpublished"),
            "160": Size(4_443_185, 0.116, "made for small corpora, unpublished"),
            "160-gamma025": Size(4_147_185, 0.108, "made for small corpora, unpublished"),
            "256": Size(
                10_259_729, 0.277, "NVIDIA stt_en_citrinet_256_ls, LibriSpeech alone", PublishedWer(3.78, 9.6)
            ),
            "256-gamma025": Size(9_786_129, 0.265, "NeMo docs, several data sets", PublishedWer(4.8, 10.7)),
            "384": Size(21_472_529, 0.599, "NeMo configuration"),
            "384-gamma025": Size(20_762_129, 0.581, "NeMo configuration"),
            "512": Size(36_994_321, 1.04, "NeMo docs, several data sets", PublishedWer(3.7, 8.9)),
            "512-gamma025": Size(36_047_121, 1.02, "NeMo docs, several data sets", PublishedWer(3.9, 9.0)),
            "768": Size(80_964_881, 2.31, "NeMo configuration"),
            "768-gamma025": Size(79_544_081, 2.27, "NeMo configuration"),
            "1024": Size(
                143_118_737, 4.08, "NVIDIA stt_en_citrinet_1024_ls, LibriSpeech alone", PublishedWer(2.5, 6.3)
            ),
            "1024-gamma025": Size(141_224_337, 4.04, "NeMo docs, several data sets", PublishedWer(3.4, 7.6)),
        },
    ),
    "conformer": Architecture(
        title="Conformer-CTC",
        paper="arXiv:2005.08100",
        frontend=_MEL_80,
        subsampling=4,
        num_outputs=_PIECES_128,
        sizes={
            "s": Size(
                12_995_441,
                0.541,
                "NVIDIA stt_en_conformer_ctc_small_ls, LibriSpeech alone",
                PublishedWer(3.4, 8.8),
            ),
            "m": Size(
                30_538_625,
                1.19,
                "NVIDIA stt_en_conformer_ctc_medium_ls, LibriSpeech alone",
                PublishedWer(3.0, 7.3),
            ),
            "l": Size(
                121_501_313,
                4.51,
                "NVIDIA stt_en_conformer_ctc_large_ls, LibriSpeech alone",
                PublishedWer(2.7, 6.0),
            ),
            "xl": Size(635_442_305, 21.6, "NeMo docs, several data sets", PublishedWer(2.0, 3.74)),
        },
    ),
    "contextnet": Architecture(
        title="ContextNet",
        paper="arXiv:2005.03191",
        frontend=_MEL_80,
        subsampling=8,
        num_outputs=_PIECES_1024,
        sizes={
            "s": Size(6_073_545, 0.134, "the paper, a transducer", PublishedWer(2.9, 7.0)),
            "m": Size(23_297_025, 0.519, "the paper, a transducer", PublishedWer(2.4, 5.4)),
            "l": Size(91_198_065, 2.04, "the paper, a transducer", PublishedWer(2.1, 4.6)),
            "nemo-128": Size(3_108_113, 0.0848, "made for small corpora, unpublished"),
            "nemo-256": Size(9_764_113, 0.306, "NeMo docs, a transducer", PublishedWer(3.3, 8.0)),
            "nemo-512": Size(36_003_089, 1.18, "NeMo docs, a transducer", PublishedWer(2.2, 5.0)),
            "nemo-1024": Size(140_188_945, 4.66, "NeMo docs, a transducer", PublishedWer(1.9, 4.0)),
        },
    ),
    "deepspeech2": Architecture(
        title="DeepSpeech2",
        paper="arXiv:1512.02595",
        frontend=_SPECTRUM_160,
        subsampling=2,
        num_outputs=_LETTERS,
        sizes={
            "small": Size(9_993_469, 0.805, "OpenSeq2Seq configuration", frontend=_SPECTRUM_96),
            "large": Size(58_971_133, 3.46, "OpenSeq2Seq docs", PublishedWer(6.71, part="dev")),
        },
    ),
    "fastconformer": Architecture(
        title="FastConformer",
        paper="arXiv:2305.05084",
        frontend=_MEL_80,
        subsampling=8,
        num_outputs=_PIECES_1024,
        sizes={
            "s": Size(12_781_665, 0.228, "NeMo configuration"),
            "m": Size(26_392_065, 0.412, "NeMo configuration"),
            "l": Size(115_600_385, 1.6, "NeMo configuration"),
            "l17": Size(109_287_937, 1.52, "NeMo configuration"),
            "xl": Size(608_799_745, 8.11, "NeMo configuration"),
            "xxl": Size(1_062_368_257, 14.1, "NeMo configuration"),
        },
    ),
    "jasper": Architecture(
        title="Jasper DR",
        paper="arXiv:1904.03288",
        frontend=_MEL_64,
        subsampling=2,
        num_outputs=_LETTERS,
        sizes={
            "dr-small": Size(3_457_693, 0.173, "made for small corpora, unpublished"),
            "dr-10x5": Size(332_632_349, 16.6, "OpenSeq2Seq docs", PublishedWer(3.77, 11.08)),
        },
    ),
    "n2": Architecture(
        title="N2",
        paper="https://github.com/anarlavrenov/n2",
        frontend=_N2,
        subsampling=2,
        num_outputs=32,
        sizes={
            "base": Size(74_367_872, 4.92, "its repository: 36 % on held-out train-clean-100"),
        },
    ),
    "quartznet": Architecture(
        title="QuartzNet",
        paper="arXiv:1910.10261",
        frontend=_MEL_64,
        subsampling=2,
        num_outputs=_LETTERS,
        sizes={
            "5x1": Size(1_991_228, 0.0991, "mdigits, spoken Russian numbers", num_outputs=12),
            "5x3-paper-rows": Size(4_622_156, 0.23, "mdigits, spoken Russian numbers", num_outputs=12),
            "5x3": Size(6_389_580, 0.318, "NeMo v0.10.1, experimental", num_outputs=12),
            "5x5": Size(6_713_181, 0.334, "the paper", PublishedWer(5.39, 15.69, part="dev")),
            "10x5": Size(12_818_781, 0.638, "the paper", PublishedWer(4.14, 12.33, part="dev")),
            "15x5": Size(18_924_381, 0.942, "the paper", PublishedWer(3.9, 11.28)),
        },
    ),
    "squeezeformer": Architecture(
        title="Squeezeformer",
        paper="arXiv:2206.00888",
        frontend=_MEL_80,
        subsampling=4,
        num_outputs=_PIECES_128,
        sizes={
            "xs": Size(9_031_953, 0.225, "the paper", PublishedWer(3.74, 9.09)),
            "s": Size(18_565_837, 0.441, "the paper", PublishedWer(3.08, 7.47)),
            "sm": Size(28_184_961, 0.654, "the paper", PublishedWer(2.79, 6.89)),
            "m": Size(55_622_181, 1.25, "the paper", PublishedWer(2.56, 6.5)),
            "ml": Size(125_025_921, 2.74, "the paper", PublishedWer(2.61, 6.05)),
            "l": Size(236_254_209, 5.07, "the paper", PublishedWer(2.47, 5.97)),
        },
    ),
    "wav2vec": Architecture(
        title="wav2vec 1.0",
        paper="arXiv:1904.05862",
        frontend=_WAVEFORM_30,
        subsampling=160,
        num_outputs=_LETTERS,
        sizes={
            "tiny": Size(1_813_149, 0.302, "made for small corpora, unpublished"),
            "base": Size(28_879_389, 4.78, "the paper"),
            "large": Size(29_405_725, 4.84, "fairseq"),
        },
    ),
    "wav2vec2": Architecture(
        title="wav2vec 2.0",
        paper="arXiv:2006.11477",
        frontend=_WAVEFORM,
        subsampling=320,
        num_outputs=32,
        sizes={
            "tiny": Size(1_286_384, 0.139, "made for small corpora, unpublished"),
            "base": Size(94_396_320, 7.41, "the paper", PublishedWer(3.4, 8.5)),
            "large": Size(
                315_471_520, 19.2, "the paper, after 60,000 hours without texts", PublishedWer(2.2, 4.5)
            ),
            "xls-r-300m": Size(315_471_520, 19.2, "XLS-R, arXiv:2111.09296"),
            "xls-r-1b": Size(962_538_400, 53.3, "XLS-R, arXiv:2111.09296"),
            "xls-r-2b": Size(2_159_321_120, 115, "XLS-R, arXiv:2111.09296"),
        },
    ),
    "wave2letter": Architecture(
        title="Wave2Letter+",
        paper="arXiv:1805.10387",
        frontend=_MEL_64,
        subsampling=2,
        num_outputs=_LETTERS,
        sizes={
            "small": Size(3_225_565, 0.161, "made for small corpora, unpublished"),
            "large": Size(106_496_285, 5.32, "OpenSeq2Seq docs", PublishedWer(6.58, 19.61)),
        },
    ),
}
