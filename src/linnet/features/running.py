"""Normalization while a recording is under way: by all frames that were heard so far."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from linnet.core.arrays import Array, Features
from linnet.features.config import FrontendConfig
from linnet.features.normalize import deviation, normalize

OVER_TIME = ("per_feature", "all_features")  # normalizations that look at more than one frame


@dataclass(frozen=True, slots=True)
class RunningStatistics:
    """Mean and spread of the features so far, of each row or of all together.

    With the last frame of a recording they are those of the whole, so that reading it in windows ends up
    where reading it whole begins.

    Attributes:
        count: values in each row.
        mean: (rows, 1) float64.
        squares: (rows, 1) float64: the sum of the squared distances from the mean.
    """

    count: int
    mean: Array
    squares: Array

    @classmethod
    def of(cls, features: Features, config: FrontendConfig) -> Self:
        """Measure features (F, T) that are not normalized."""
        rows = features.reshape(1, -1) if config.normalize == "all_features" else features
        if not rows.shape[1]:
            return cls(0, np.zeros((len(rows), 1)), np.zeros((len(rows), 1)))
        mean = rows.mean(axis=1, keepdims=True, dtype=np.float64)
        return cls(rows.shape[1], mean, np.square(rows - mean).sum(axis=1, keepdims=True))

    def joined(self, other: Self) -> Self:
        """Add those of other frames (Chan et al. 1983, "Algorithms for Computing the Sample Variance")."""
        count = self.count + other.count
        if not count:
            return self
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.count / count)
        squares = self.squares + other.squares + np.square(delta) * (self.count * other.count / count)
        return type(self)(count, mean, squares)

    def normalize(self, features: Features, config: FrontendConfig) -> None:
        """Normalize features (F, T) in place; as `features.normalize` where only each frame counts."""
        if config.normalize not in OVER_TIME:
            normalize(features, config)
            return
        features -= self.mean.astype(np.float32)
        features /= deviation(self.squares, self.count, config).astype(np.float32)
