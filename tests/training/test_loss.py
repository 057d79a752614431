"""The CTC loss against its definition and against torch on each utterance alone."""

from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linnet.training.loss import consistency_loss, ctc_loss, mean_over_used


def random_log_probs(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).log_softmax(-1)


def collapsed(path: tuple[int, ...], blank_id: int) -> list[int]:
    """Drop repeats, then blanks."""
    kept = [label for label, previous in zip(path, (None, *path), strict=False) if label != previous]
    return [label for label in kept if label != blank_id]


@pytest.mark.parametrize("target", [[], [0], [0, 1], [1, 1], [0, 1, 0]])
def test_the_loss_sums_over_every_path(target: list[int]) -> None:
    log_probs = random_log_probs(1, 4, 3)
    paths = [path for path in product(range(3), repeat=4) if collapsed(path, 2) == target]
    scores = [sum(float(log_probs[0, frame, label]) for frame, label in enumerate(path)) for path in paths]
    expected = -torch.logsumexp(torch.tensor(scores), 0)
    tokens = torch.tensor([target or [0]])
    loss = ctc_loss(log_probs, torch.tensor([4]), tokens, torch.tensor([len(target)]))
    torch.testing.assert_close(loss, expected[None], atol=1e-5, rtol=1e-5)


def test_padding_changes_no_utterance() -> None:
    log_probs = random_log_probs(3, 20, 5)
    lengths, token_lengths = torch.tensor([20, 11, 6]), torch.tensor([4, 3, 1])
    tokens = torch.tensor([[1, 2, 2, 0], [3, 0, 1, 4], [2, 3, 3, 3]])  # what follows a target is not one
    losses = ctc_loss(log_probs, lengths, tokens, token_lengths)
    for row, length, target, size, loss in zip(
        log_probs, lengths.tolist(), tokens, token_lengths.tolist(), losses, strict=True
    ):
        alone = functional.ctc_loss(row[:length], target[:size], (length,), (size,), blank=4, reduction="sum")
        torch.testing.assert_close(loss, alone, atol=1e-5, rtol=1e-5)


def test_labels_that_do_not_fit_their_frames_cost_nothing() -> None:
    log_probs = random_log_probs(3, 3, 4).requires_grad_()
    tokens = torch.tensor([[0, 1, 2, 0], [1, 1, 0, 0], [0, 1, 2, 0]])
    losses = ctc_loss(log_probs, torch.tensor([3, 3, 3]), tokens, torch.tensor([4, 3, 3]))
    # Two equal neighbors need a blank between them, so that three labels ask for four frames.
    assert losses[:2].tolist() == [0.0, 0.0]
    assert losses[2] > 0
    losses.sum().backward()
    assert torch.isfinite(log_probs.grad).all()
    assert log_probs.grad[:2].abs().sum() == 0


def test_utterances_without_a_target_are_left_out() -> None:
    log_probs = random_log_probs(2, 5, 4).requires_grad_()
    losses = ctc_loss(log_probs, torch.tensor([5, 5]), torch.tensor([[1], [1]]), torch.tensor([-1, 1]))
    assert losses[0] == 0
    losses.sum().backward()
    assert log_probs.grad[0].abs().sum() == 0
    assert log_probs.grad[1].abs().sum() > 0


def test_nan_is_not_taken_for_labels_that_do_not_fit() -> None:
    log_probs = random_log_probs(1, 5, 4)
    log_probs[0, 2] = float("nan")
    assert ctc_loss(log_probs, torch.tensor([5]), torch.tensor([[1]]), torch.tensor([1])).isnan().all()


def test_the_mean_goes_over_utterances_with_a_target() -> None:
    losses = torch.tensor([6.0, 0.0, 2.0, 0.0])
    assert mean_over_used(losses, torch.tensor([30, -1, 1, 0])) == pytest.approx(8 / 3)
    assert mean_over_used(torch.zeros(2), torch.tensor([-1, -1])) == 0


def test_consistency_is_the_divergence_of_both_views_over_their_valid_frames() -> None:
    views, lengths = random_log_probs(4, 6, 3), torch.tensor([6, 4, 6, 4])
    expected = []
    for row, length in ((0, 6), (1, 4)):
        p, q = views[row, :length], views[row + 2, :length]
        both_ways = (p.exp() * (p - q)).sum() + (q.exp() * (q - p)).sum()
        expected.append(both_ways / 2)
    torch.testing.assert_close(consistency_loss(views, lengths), torch.stack(expected))


def test_equal_views_are_consistent() -> None:
    views = random_log_probs(2, 5, 4).repeat(2, 1, 1)
    assert consistency_loss(views, torch.tensor([5, 3, 5, 3])).tolist() == pytest.approx([0.0, 0.0])


def test_each_view_is_a_fixed_target_of_the_other() -> None:
    """The gradient for a view is that of the divergence from a constant, ½ (q − p) behind the softmax."""
    scores = torch.randn(2, 1, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    consistency_loss(scores.log_softmax(-1), torch.tensor([1, 1])).sum().backward()
    p, q = scores.detach().softmax(-1)
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad, torch.stack((p - q, q - p)) / 2)
