"""Word and character error rates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from linnet.metrics.alignment import count_edits


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """The edits between hypotheses and references, and the length of the references; counts add up.

    Attributes:
        substitutions: tokens recognized as another token.
        deletions: tokens of the reference that are missing in the hypothesis.
        insertions: tokens of the hypothesis that are not in the reference.
        reference_length: tokens of the reference.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_length: int = 0

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        """Add the counts one by one."""
        return ErrorCounts(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_length + other.reference_length,
        )

    @property
    def errors(self) -> int:
        """All edits together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per token of the reference (0.05 is 5 %); infinite when there is none but errors are."""
        if self.reference_length:
            return self.errors / self.reference_length
        return math.inf if self.errors else 0.0


def word_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """Count the errors in words, which are what white space separates."""
    return token_errors(reference.split(), hypothesis.split())


def character_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """Count the errors in characters; one space between two words counts as a character, as in NeMo."""
    return token_errors(" ".join(reference.split()), " ".join(hypothesis.split()))


def token_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> ErrorCounts:
    """Count the errors between two sequences of tokens."""
    if reference == hypothesis:
        return ErrorCounts(reference_length=len(reference))
    return ErrorCounts(*count_edits(reference, hypothesis), reference_length=len(reference))
