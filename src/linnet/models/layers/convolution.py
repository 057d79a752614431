"""Convolution and batch norm over time: 1-D, as height-1 2-D for export, and by FFT where that is faster."""

import torch
from torch import Tensor, nn
from torch.nn import functional

# Below this kernel size torch's direct depthwise loop wins on CPU (benchmarks/depthwise.py).
MIN_FFT_KERNEL = 15


class TimeConv(nn.Module):
    """A convolution over the last axis, for (B, C, T) and for (B, C, 1, T); "same" unless told otherwise.

    The 4-D form exists for export: onnxruntime runs a height-1 2-D convolution two to three times faster than
    the same 1-D one (docs/decisions/0002). In training on CPU, depthwise kernels go through the convolution
    theorem, since torch's direct depthwise loop is slow there; both ways agree to float32 rounding.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: taps; odd, where `padding` is not given, so that "same" padding is symmetric.
        stride: step over time; at most one of `stride` and `dilation` may exceed 1 (NeMo's rule).
        dilation: distance between taps.
        groups: 1, or `in_channels` for a depthwise convolution.
        bias: whether to add a bias.
        padding: zeros before and behind the frames, such as (kernel_size − 1, 0) for a causal convolution;
            by default those of a "same" convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        padding: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        assert stride == 1 or dilation == 1, "stride and dilation cannot both exceed 1"
        assert kernel_size % 2 == 1 or padding is not None, "same padding needs an odd kernel"
        self.stride, self.dilation, self.groups = stride, dilation, groups
        same = dilation * (kernel_size - 1) // 2
        before, behind = padding or (same, same)
        # What the convolution pads on both sides itself, and what it is given beyond that.
        self.padding = min(before, behind)
        self.extra_padding = (before - self.padding, behind - self.padding)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, T) or (B, C, 1, T) over T."""
        if any(self.extra_padding):
            x = functional.pad(x, self.extra_padding)
        if x.dim() == 4:
            return functional.conv2d(
                x,
                self.weight.unsqueeze(2),
                self.bias,
                stride=(1, self.stride),
                padding=(0, self.padding),
                dilation=(1, self.dilation),
                groups=self.groups,
            )
        if self._prefers_fft(x):
            y = depthwise_fft(x, self.weight, self.padding, self.dilation)[..., :: self.stride]
            return y if self.bias is None else y + self.bias[:, None]
        return functional.conv1d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Valid frames (B,) after the convolution: "same" padding keeps ceil(T / stride)."""
        reach = self.dilation * (self.weight.shape[-1] - 1)
        excess = 2 * self.padding + sum(self.extra_padding) - reach
        return lengths + excess if self.stride == 1 else (lengths + excess - 1) // self.stride + 1

    def _prefers_fft(self, x: Tensor) -> bool:
        depthwise = self.groups > 1 and self.groups == self.weight.shape[0]
        # Only in training: deep networks multiply the FFT's rounding, and a proof asks for the plain sum.
        return (
            self.training
            and depthwise
            and self.weight.shape[-1] >= MIN_FFT_KERNEL
            and x.device.type == "cpu"
            and x.dtype == torch.float32
        )

    def extra_repr(self) -> str:
        """Show the shape in the printed model."""
        out_channels, per_group, kernel_size = self.weight.shape
        return (
            f"{per_group * self.groups}, {out_channels}, kernel_size={kernel_size}, stride={self.stride}, "
            f"dilation={self.dilation}, groups={self.groups}"
        )


class TimeBatchNorm(nn.BatchNorm1d):
    """Batch norm per channel for (B, C, T) and for (B, C, 1, T)."""

    def _check_input_dim(self, input: Tensor) -> None:
        assert input.dim() in (3, 4), "expected (B, C, T) or (B, C, 1, T)"


def depthwise_fft(x: Tensor, weight: Tensor, padding: int, dilation: int = 1) -> Tensor:
    """Depthwise convolution by the convolution theorem.

    Args:
        x: (B, C, T).
        weight: (C, 1, k).
        padding: zeros on each side, at most dilation·(k − 1).
        dilation: distance between taps.

    Returns:
        (B, C, T + 2·padding − dilation·(k − 1)), equal to `conv1d(groups=C)` up to rounding.
    """
    num_frames = x.shape[-1]
    taps = weight.squeeze(1)
    if dilation > 1:
        taps = _spread(taps, dilation)
    reach = taps.shape[-1] - 1
    # Room for all but the last `reach − padding` values: they wrap around to the first, which are cut off.
    size = fast_fft_size(num_frames + padding)
    # Correlation, as conv1d computes it, is convolution with the reversed taps.
    spectrum = torch.fft.rfft(x, size) * torch.fft.rfft(taps.flip(-1), size)
    full: Tensor = torch.fft.irfft(spectrum, size)
    return full[..., reach - padding : num_frames + padding]


def fast_fft_size(minimum: int) -> int:
    """Return the smallest 2^a·3^b·5^c that is at least `minimum`."""
    best = 1 << (minimum - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            quotient = -(-minimum // three)
            best = min(best, three << (quotient - 1).bit_length())
            three *= 3
        five *= 5
    return best


def _spread(taps: Tensor, dilation: int) -> Tensor:
    """Put `dilation` − 1 zeros between the taps: (C, k) → (C, dilation·(k − 1) + 1)."""
    channels, kernel_size = taps.shape
    spread = taps.new_zeros(channels, kernel_size, dilation)
    spread[..., 0] = taps
    return spread.flatten(1)[:, : dilation * (kernel_size - 1) + 1]
