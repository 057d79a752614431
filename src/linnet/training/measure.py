"""What decides between the checkpoints of a run: an error rate, or the loss of a model without texts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of the dev sets of which less is better.

    Attributes:
        key: what it is logged as.
        name: what people call it.
        is_rate: whether it is a share, to be shown in percent.
    """

    key: str
    name: str
    is_rate: bool = False

    def shown(self, value: float) -> str:
        """Write a value for people."""
        return f"{value:.2%}" if self.is_rate else f"{value:.3f}"


WER = Measure("dev_wer", "WER", is_rate=True)
CER = Measure("dev_cer", "CER", is_rate=True)
LOSS = Measure("dev_loss", "loss")
