"""The torch twin of the numpy front end: batched, on any device, for training."""

import torch
from torch import Tensor, nn

from linnet.features.config import FrontendConfig
from linnet.features.framing import first_sample, mirrored
from linnet.features.kaldi import kaldi_power
from linnet.features.kaldi_fft import unit_roots
from linnet.features.logmel import filterbank_of
from linnet.features.mfcc import cosine_matrix
from linnet.features.normalize import FRAME_STD_GUARD, STD_GUARD, WAVEFORM_VARIANCE_GUARD
from linnet.features.spectrum import window_of

# Frames of a whole batch worked on at once, to bound the float64 spectra: 12 KiB a frame.
_BLOCK_FRAMES = 4096


class TorchFrontend(nn.Module):
    """Features of padded batches, equal to `compute_features` of each utterance alone.

    Autocast has no effect on it: samples and features are float32, and the sums from the window to the mel
    energies are float64, which no GPU rounds to TF32. It adds nothing to a state dict.

    Letters: B batch, N samples, T frames, F features, W samples under the window, K FFT bins.

    Args:
        config: the front end.
    """

    window: Tensor  # (W,)
    roots: Tensor  # (2, fft_size)
    filterbank: Tensor  # (K, F)
    cosines: Tensor  # (C, F)
    fixed_mean: Tensor  # (F, 1)
    fixed_std: Tensor  # (F, 1)

    def __init__(self, config: FrontendConfig) -> None:
        super().__init__()
        self.config = config
        if config.normalize == "fixed":
            self._keep("fixed_mean", torch.tensor(config.fixed_mean)[:, None])
            self._keep("fixed_std", torch.tensor(config.fixed_std)[:, None])
        if config.kind == "waveform":
            return
        self._keep("window", torch.tensor(window_of(config)))
        if config.kind == "kaldi_fbank":
            self._keep("roots", torch.tensor(unit_roots(config.fft_size)))
        if config.kind != "spectrogram":
            self._keep("filterbank", torch.tensor(filterbank_of(config).T, dtype=torch.float64))
        if config.kind == "mfcc":
            self._keep("cosines", torch.tensor(cosine_matrix(config)).double())

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features; in training mode, of samples with white noise added (`config.dither`).

        Args:
            samples: (B, N) in [-1, 1]; what lies beyond an utterance's length has no effect.
            lengths: (B,) int64, samples of each utterance, at most N.

        Returns:
            The features (B, F, T) float32, zero beyond each utterance, where T is the frames of N samples,
            padded to a multiple of `config.pad_to`; and the valid frames of each utterance (B,) int64.
        """
        with torch.no_grad(), torch.autocast(samples.device.type, enabled=False):
            frame_lengths: Tensor = self.config.num_frames(lengths)
            features = self._unnormalized(samples.float(), lengths)  # (B, F, T)
            valid = torch.arange(features.shape[2], device=lengths.device) < frame_lengths[:, None, None]
            features = self._normalized(features, valid).masked_fill(~valid, 0.0)
            surplus = self.config.padded_frames(features.shape[2]) - features.shape[2]
            return nn.functional.pad(features, (0, surplus)), frame_lengths

    def _unnormalized(self, samples: Tensor, lengths: Tensor) -> Tensor:
        if self.training and self.config.dither:
            samples = samples + self.config.dither * torch.randn_like(samples)
        if self.config.kind == "waveform":
            return samples[:, None, : self.config.num_frames(samples.shape[1])]
        frames = self._frames(samples, lengths)  # (B, T, W)
        blocks = torch.split(frames, max(1, _BLOCK_FRAMES // max(1, len(samples))), dim=1)
        return torch.cat([self._features(block) for block in blocks], dim=2)

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def _frames(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """Cut as many frames as N samples give, each utterance padded at its own end."""
        config = self.config
        num_frames = config.num_frames(samples.shape[1])
        if not num_frames:
            return samples.new_zeros(len(samples), 0, config.window_samples)
        if config.kind != "kaldi_fbank":
            emphasized = samples[:, 1:] - config.preemphasis * samples[:, :-1]
            samples = torch.cat([samples[:, :1], emphasized], dim=1)
        start = first_sample(config)
        stop = start + (num_frames - 1) * config.hop_samples + config.window_samples
        indices = torch.arange(start, stop, device=samples.device)
        stretch = self._padded(samples, lengths[:, None], indices)
        return stretch.unfold(1, config.window_samples, config.hop_samples)

    def _padded(self, samples: Tensor, lengths: Tensor, indices: Tensor) -> Tensor:
        """Take the samples at `indices`, with the padding for those that lie beyond the utterance."""
        if self.config.kind != "kaldi_fbank" and self.config.pad_mode == "zeros":
            inside = (indices >= 0) & (indices < lengths)
            return samples[:, indices.clamp(0, samples.shape[1] - 1)].where(inside, 0.0)
        return samples.gather(1, mirrored(indices, lengths.clamp(min=1), self.config))

    def _features(self, frames: Tensor) -> Tensor:
        """Compute the features of frames (B, T, W), not yet normalized: (B, F, T)."""
        config = self.config
        if not frames.shape[1]:  # an FFT of nothing is an error
            return frames.new_zeros(len(frames), config.num_features, 0)
        energies = self._kaldi_power(frames) if config.kind == "kaldi_fbank" else self._power(frames)
        if config.kind == "spectrogram":
            energies = energies[..., : config.num_features]
        else:
            energies = energies @ self.filterbank  # (B, T, F)
        if config.compression == "sqrt":
            return energies.float().sqrt().sqrt().mT
        features = self._guarded_log(energies.float()).mT
        return (self.cosines @ features.double()).float() if config.kind == "mfcc" else features

    def _power(self, frames: Tensor) -> Tensor:
        """Compute |FFT|² of frames: (B, T, K) float64."""
        spectrum = torch.fft.rfft(frames.double() * self.window, self.config.fft_size)
        power: Tensor = spectrum.real.square() + spectrum.imag.square()
        return power

    def _kaldi_power(self, frames: Tensor) -> Tensor:
        """Compute the same in Kaldi's way, with the code of the numpy half and its roundings."""
        columns = frames.new_zeros(self.config.fft_size, len(frames) * frames.shape[1])
        columns[: self.config.window_samples] = frames.flatten(0, 1).T
        power: Tensor = kaldi_power(columns, self.window.float(), self.roots, self.config, torch)
        return power.T.reshape(*frames.shape[:2], len(power)).double()

    def _guarded_log(self, energies: Tensor) -> Tensor:
        if self.config.log_guard_mode == "add":
            return torch.log(energies + self.config.log_guard)
        return torch.log(energies.clamp(min=self.config.log_guard))

    def _normalized(self, features: Tensor, valid: Tensor) -> Tensor:
        """Normalize over the valid frames, relative to the first one (see `features.normalize`)."""
        config = self.config
        if config.normalize == "none" or not features.shape[2]:
            return features
        if config.normalize == "fixed":
            return (features - self.fixed_mean) / self.fixed_std
        if config.normalize == "per_frame":
            features = features - features[:, :1]
            features = features - features.mean(dim=1, keepdim=True)
            variance = features.square().sum(dim=1, keepdim=True) / max(features.shape[1] - 1, 1)
            return features / (variance.sqrt() + FRAME_STD_GUARD)
        by_row = config.normalize == "per_feature"
        dims = (2,) if by_row else (1, 2)
        num_values = valid.sum(dim=2, keepdim=True) * (1 if by_row else features.shape[1])  # (B, 1, 1)
        features = (features - features[:, slice(None) if by_row else slice(1), :1]).where(valid, 0.0)
        mean = features.sum(dim=dims, keepdim=True) / num_values.clamp(min=1)
        features = (features - mean).where(valid, 0.0)
        squares = features.square().sum(dim=dims, keepdim=True)
        if config.kind == "waveform":
            return features / (squares / num_values.clamp(min=1) + WAVEFORM_VARIANCE_GUARD).sqrt()
        variance = squares / (num_values - 1).clamp(min=1)
        return features / (variance.sqrt() + STD_GUARD)
