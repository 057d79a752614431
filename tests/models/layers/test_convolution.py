"""Convolution over time: every path gives what torch's direct convolution gives."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linnet.models.layers import convolution
from linnet.models.layers.convolution import TimeBatchNorm, TimeConv, depthwise_fft, fast_fft_size


def values_and_gradients(conv: TimeConv, x: Tensor, compute: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Run `compute(x)`; return its value and the gradients of a randomly weighted sum of it."""
    x = x.clone().requires_grad_()
    y = compute(x)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    return [y.detach(), *torch.autograd.grad((y * weights).sum(), [x, conv.weight, conv.bias])]


@pytest.mark.parametrize("kernel_size", [1, 3, 11, 33, 39, 75, 87])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)])
def test_fft_equals_the_direct_convolution(
    monkeypatch: pytest.MonkeyPatch, kernel_size: int, stride: int, dilation: int
) -> None:
    monkeypatch.setattr(convolution, "MIN_FFT_KERNEL", 1)
    torch.manual_seed(0)
    conv = TimeConv(4, 4, kernel_size, stride=stride, dilation=dilation, groups=4, bias=True)
    options = {"stride": stride, "padding": conv.padding, "dilation": dilation, "groups": 4}
    direct = partial(functional.conv1d, weight=conv.weight, bias=conv.bias, **options)
    for num_frames in (1, 2, 8, 50, 101):  # also far fewer than taps
        x = torch.randn(2, 4, num_frames)
        pairs = zip(values_and_gradients(conv, x, conv), values_and_gradients(conv, x, direct), strict=True)
        for ours, expected in pairs:
            torch.testing.assert_close(ours, expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("padding", [0, 1, 7, 14, 20, 28])
def test_the_fft_takes_any_padding(padding: int) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(2, 3, 29), torch.randn(3, 1, 15)
    expected = functional.conv1d(x, weight, padding=padding, dilation=2, groups=3)
    torch.testing.assert_close(depthwise_fft(x, weight, padding, 2), expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("kernel_size", "groups", "dtype", "shape", "expected"),
    [
        (33, 4, torch.float32, (2, 4, 20), True),
        (convolution.MIN_FFT_KERNEL, 4, torch.float32, (2, 4, 20), True),
        (convolution.MIN_FFT_KERNEL - 2, 4, torch.float32, (2, 4, 20), False),  # direct is faster
        (33, 1, torch.float32, (2, 4, 20), False),  # not depthwise
        (33, 4, torch.float64, (2, 4, 20), False),
        (33, 4, torch.float32, (2, 4, 1, 20), False),  # the form for export
    ],
)
def test_the_fft_is_chosen_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch,
    kernel_size: int,
    groups: int,
    dtype: torch.dtype,
    shape: tuple[int, ...],
    expected: bool,
) -> None:
    used: list[Tensor] = []

    def spy(x: Tensor, *arguments: Any) -> Tensor:
        used.append(x)
        return depthwise_fft(x, *arguments)

    monkeypatch.setattr(convolution, "depthwise_fft", spy)
    TimeConv(4, 4, kernel_size, groups=groups).to(dtype)(torch.randn(shape, dtype=dtype))
    assert bool(used) is expected


@pytest.mark.parametrize(("kernel_size", "groups"), [(1, 1), (5, 1), (5, 4), (33, 4)])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_the_4d_form_equals_the_3d_form(kernel_size: int, groups: int, stride: int, dilation: int) -> None:
    torch.manual_seed(0)
    conv = TimeConv(4, 8, kernel_size, stride=stride, dilation=dilation, groups=groups, bias=True)
    x = torch.randn(2, 4, 19)
    y = conv(x)
    torch.testing.assert_close(conv(x.unsqueeze(2)).squeeze(2), y, atol=1e-5, rtol=1e-5)
    assert conv.output_lengths(torch.tensor([19])).tolist() == [y.shape[-1]]


def test_lengths_round_up_at_a_stride() -> None:
    conv = TimeConv(1, 1, 5, stride=2)
    assert conv.output_lengths(torch.tensor([0, 1, 2, 3, 8])).tolist() == [0, 1, 1, 2, 4]


def test_what_symmetric_padding_cannot_do_is_refused() -> None:
    with pytest.raises(AssertionError, match="odd"):
        TimeConv(4, 4, 4)
    with pytest.raises(AssertionError, match="both"):
        TimeConv(4, 4, 5, stride=2, dilation=2)


def test_the_printed_model_shows_the_shape() -> None:
    text = repr(TimeConv(4, 4, 11, stride=2, groups=4))
    assert text == "TimeConv(4, 4, kernel_size=11, stride=2, dilation=1, groups=4)"


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_treats_both_forms_alike(training: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 7)
    flat, tall = TimeBatchNorm(5).train(training), TimeBatchNorm(5).train(training)
    torch.testing.assert_close(tall(x.unsqueeze(2)).squeeze(2), flat(x))
    torch.testing.assert_close(tall.running_var, flat.running_var)


def test_batch_norm_refuses_other_shapes() -> None:
    with pytest.raises(AssertionError, match=r"\(B, C, T\)"):
        TimeBatchNorm(5)(torch.zeros(3, 5))


def test_the_fft_size_is_the_smallest_product_of_two_three_and_five() -> None:
    fast = sorted(
        2**a * 3**b * 5**c for a in range(13) for b in range(8) for c in range(6) if 2**a * 3**b * 5**c < 5000
    )
    for minimum in range(1, 4000):
        assert fast_fft_size(minimum) == next(size for size in fast if size >= minimum)
