"""A padded batch of examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from linnet.core.arrays import Samples
from linnet.data.examples import Example

AUDIO_ONLY = -1


@dataclass(slots=True, kw_only=True)
class Batch:
    """B utterances, zero-padded (not frozen, since Lightning rebuilds it on the device).

    Attributes:
        samples: (B, N) float32.
        lengths: (B,) valid samples.
        tokens: (B, L) targets of the model's head.
        token_lengths: (B,) valid targets; −1 where that head is not trained.
        auxiliary_tokens: (B, L) targets of the auxiliary head.
        auxiliary_token_lengths: (B,) valid targets; −1 where there is none.
        texts: references of the model's head.
        names: where each utterance came from, for messages.
    """

    samples: Tensor
    lengths: Tensor
    tokens: Tensor
    token_lengths: Tensor
    auxiliary_tokens: Tensor
    auxiliary_token_lengths: Tensor
    texts: list[str]
    names: list[str]

    @property
    def audio_samples(self) -> int:
        """Valid samples in all utterances together."""
        return int(self.lengths.sum())


def collate(waveforms: Sequence[Samples], examples: Sequence[Example]) -> Batch:
    """Pad waveforms and targets to the longest of the batch."""
    lengths = np.array([len(waveform) for waveform in waveforms])
    samples = np.zeros((len(waveforms), int(lengths.max())), dtype=np.float32)
    for row, waveform in zip(samples, waveforms, strict=True):
        row[: len(waveform)] = waveform
    tokens, token_lengths = _pad_targets([example.tokens for example in examples])
    auxiliary_tokens, auxiliary_lengths = _pad_targets([example.auxiliary_tokens for example in examples])
    return Batch(
        samples=torch.from_numpy(samples),
        lengths=torch.from_numpy(lengths),
        tokens=tokens,
        token_lengths=token_lengths,
        auxiliary_tokens=auxiliary_tokens,
        auxiliary_token_lengths=auxiliary_lengths,
        texts=[example.text for example in examples],
        names=[_name(example) for example in examples],
    )


def _pad_targets(targets: Sequence[tuple[int, ...] | None]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([AUDIO_ONLY if target is None else len(target) for target in targets])
    padded = torch.zeros(len(targets), max(1, int(lengths.max())), dtype=torch.long)
    for row, target in zip(padded, targets, strict=True):
        if target:
            row[: len(target)] = torch.tensor(target)
    return padded, lengths


def _name(example: Example) -> str:
    utterance = example.utterance
    return f"{utterance.audio}@{utterance.offset_s:g}s" if utterance.offset_s else utterance.audio
