"""N2 (github.com/anarlavrenov/n2): DeepSpeech2's plan with a third convolution, and LSTMs for GRUs."""

from linnet.models.deepspeech2 import DeepSpeech2Config, SpectralConvConfig

VARIANTS = ("base",)


def n2(variant: str) -> DeepSpeech2Config:
    """Return the layers of its training program; with 193 bins and 32 tokens they have 74,367,872 parameters.

    Its front end is the square root of the magnitudes, normalized over each frame: `{kind: spectrogram,
    compression: sqrt, n_fft: 384, window_ms: 16, periodic_window: true, preemphasis: 0, normalize: per_frame,
    pad_mode: reflect}`.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    if variant not in VARIANTS:
        raise KeyError(variant)
    return DeepSpeech2Config(
        convolutions=(
            SpectralConvConfig(filters=32, kernel=(11, 41), stride=(2, 2)),
            SpectralConvConfig(filters=32, kernel=(11, 21)),
            SpectralConvConfig(filters=64, kernel=(11, 21)),
        ),
        cell="lstm",
        hidden=768,
        num_layers=5,
        width=1536,
    )
