"""The torch twin of the numpy front end: batched, on any device, for training."""

import torch
from torch import Tensor, nn

from linnet.features.config import FrontendConfig
from linnet.features.framing import first_sample, mirrored
from linnet.features.logmel import filterbank_of
from linnet.features.mfcc import cosine_matrix
from linnet.features.normalize import STD_GUARD
from linnet.features.spectrum import window_of


class TorchFrontend(nn.Module):
    """Features of padded batches, equal to `compute_features` of each utterance alone.

    Always in float32, under autocast too. It owns nothing that training changes, so it adds nothing to a state
    dict. Letters: B batch, N samples, T frames, F features, W window, K FFT bins.

    Args:
        config: the front end.
    """

    window: Tensor
    filterbank: Tensor
    cosines: Tensor
    fixed_mean: Tensor
    fixed_std: Tensor

    def __init__(self, config: FrontendConfig) -> None:
        super().__init__()
        self.config = config
        self._constant("window", torch.tensor(window_of(config)))
        if config.kind != "spectrogram":
            self._constant("filterbank", torch.tensor(filterbank_of(config)))  # (K, F)
        if config.kind == "mfcc":
            self._constant("cosines", torch.tensor(cosine_matrix(config.num_ceps, config.num_mels)))
        if config.normalize == "fixed":
            self._constant("fixed_mean", torch.tensor(config.fixed_mean)[:, None])
            self._constant("fixed_std", torch.tensor(config.fixed_std)[:, None])

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features; white noise is added first (`config.dither`) while the module is in training mode.

        Args:
            samples: (B, N) in [-1, 1]; what lies beyond an utterance's length is never looked at.
            lengths: (B,) int64, samples of each utterance, at most N.

        Returns:
            The features (B, F, T), zero beyond each utterance, with T as many frames as N samples give, padded
            to a multiple of `config.pad_to`; and the valid frames (B,) int64.
        """
        with torch.no_grad(), torch.autocast(samples.device.type, enabled=False):
            frame_lengths: Tensor = self.config.num_frames(lengths)
            frames = self._frames(samples.float(), lengths)  # (B, T, W)
            features = self._features(frames)  # (B, F, T)
            valid = torch.arange(features.shape[2], device=lengths.device) < frame_lengths[:, None, None]
            features = self._normalized(features, valid).masked_fill(~valid, 0.0)
            surplus = self.config.padded_frames(features.shape[2]) - features.shape[2]
            return nn.functional.pad(features, (0, surplus)), frame_lengths

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def _frames(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """Cut the frames that N samples give, each utterance padded at its own end."""
        config = self.config
        if self.training and config.dither:
            samples = samples + config.dither * torch.randn_like(samples)
        if config.kind != "kaldi_fbank":
            samples = torch.cat(
                [samples[:, :1], samples[:, 1:] - config.preemphasis * samples[:, :-1]], dim=1
            )
        num_frames = config.num_frames(samples.shape[1])
        if not num_frames:
            return samples.new_zeros(len(samples), 0, config.window_samples)
        start = first_sample(config)
        stop = start + (num_frames - 1) * config.hop_samples + config.window_samples
        return self._padded(samples, lengths, start, stop).unfold(
            1, config.window_samples, config.hop_samples
        )

    def _padded(self, samples: Tensor, lengths: Tensor, start: int, stop: int) -> Tensor:
        """Samples `start` to `stop` of each utterance, with the padding where they lie beyond it."""
        indices = torch.arange(start, stop, device=samples.device)[None]  # (1, stop - start)
        if self.config.kind != "kaldi_fbank" and self.config.pad_mode == "zeros":
            inside = (indices >= 0) & (indices < lengths[:, None])
            return samples.gather(1, indices.clamp(0, samples.shape[1] - 1).expand(len(samples), -1)).where(
                inside, 0.0
            )
        return samples.gather(1, mirrored(indices, lengths[:, None].clamp(min=1), self.config))

    def _features(self, frames: Tensor) -> Tensor:
        config = self.config
        if config.kind == "kaldi_fbank":
            frames = self._conditioned(frames)
        spectrum = torch.fft.rfft(frames * self.window, config.fft_size)  # (B, T, K)
        power = spectrum.real.square() + spectrum.imag.square()
        if config.kind == "spectrogram":
            return self._guarded_log(power).mT
        # In double precision on GPU: a float32 product there may round to TF32's 10 bits, whatever autocast says.
        exact = power.double() if power.is_cuda else power
        features = self._guarded_log((exact @ self.filterbank.to(exact.dtype)).float()).mT
        if config.kind == "mfcc":
            exact = features.double() if features.is_cuda else features
            features = (self.cosines.to(exact.dtype) @ exact).float()
        return features

    def _conditioned(self, frames: Tensor) -> Tensor:
        """Kaldi's steps on each frame: scale, remove the offset, pre-emphasize."""
        frames = frames * self.config.sample_scale
        if self.config.remove_dc_offset:
            frames = frames - frames.mean(dim=2, keepdim=True)
        previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        return frames - self.config.preemphasis * previous

    def _guarded_log(self, energies: Tensor) -> Tensor:
        if self.config.log_guard_mode == "add":
            return torch.log(energies + self.config.log_guard)
        return torch.log(energies.clamp(min=self.config.log_guard))

    def _normalized(self, features: Tensor, valid: Tensor) -> Tensor:
        """Normalize over the valid frames, relative to the first frame as `features.normalize` explains."""
        config = self.config
        if config.normalize == "none" or not features.shape[2]:
            return features
        if config.normalize == "fixed":
            return (features - self.fixed_mean) / self.fixed_std
        dims, num_rows = ((2,), 1) if config.normalize == "per_feature" else ((1, 2), features.shape[1])
        num_values = valid.sum(dim=2, keepdim=True) * num_rows  # (B, 1, 1)
        first = features[:, :, :1] if config.normalize == "per_feature" else features[:, :1, :1]
        features = (features - first).where(valid, 0.0)
        mean = features.sum(dim=dims, keepdim=True) / num_values.clamp(min=1)
        features = (features - mean).where(valid, 0.0)
        variance = features.square().sum(dim=dims, keepdim=True) / (num_values - 1).clamp(min=1)
        return features / (variance.sqrt() + STD_GUARD)
