"""What a file of another toolkit becomes."""

from collections.abc import Mapping
from dataclasses import dataclass

from linnet.models.ctc import CtcModel


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """A model, and what is to be told of where it comes from.

    Attributes:
        model: with its weights, in evaluation mode.
        origin: what it was, for people.
        left_out: how many numbers linnet has no use for, by what they are.
        has_head: whether it writes texts; if not, the head is 0, and only training can use the model.
    """

    model: CtcModel
    origin: str
    left_out: Mapping[str, int]
    has_head: bool = True
