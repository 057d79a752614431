"""Names for the arrays that pass between rooms, with their shapes.

Letters of the whole project: B batch, N samples, T frames, S frames after subsampling, F mel bins, D width,
H heads, V vocabulary with blank, L labels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (N,) mono, in [-1, 1]
Features = NDArray[np.float32]  # (F, T)
LogProbs = NDArray[np.float32]  # (S, V)
Array = NDArray[Any]
