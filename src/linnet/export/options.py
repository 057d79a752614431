"""What can be chosen about an export."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from linnet.core.arrays import Samples


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What the bundle says beyond the checkpoint, and how it is made.

    Attributes:
        description: one line on what the model recognizes.
        language: BCP 47 tag of what it hears.
        license: SPDX identifier of the weights.
        min_confidence: of stretches of speech that are written, see `BundleSpec`.
        metrics: measured figures by name.
        attention_frames: see `attention.with_attention_over`; None leaves attention as in training.
        keep_checkpoint: whether the bundle brings what training can go on from.
        replace: whether a bundle that lies there already may be replaced.
        int8: whether the bundle brings an int8 graph in place of the float32 one.
        force: whether a bundle is written whose graph differs more than is allowed, and says so.
        texts: what is said in each recording that is compared, where known.
        calibration: recordings for the ranges of int8 activations; by default those that are compared.
        advance: told what is done next.
    """

    description: str = ""
    language: str = "en"
    license: str = "Apache-2.0"
    min_confidence: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    attention_frames: int | None = None
    keep_checkpoint: bool = False
    replace: bool = False
    int8: bool = False
    force: bool = False
    texts: Sequence[str | None] = ()
    calibration: Sequence[Samples] = ()
    advance: Callable[[str], None] = field(default=_silent, compare=False)
