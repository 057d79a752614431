"""The masks of padding frames."""

import torch

from linnet.models.layers.masking import frame_mask


def test_one_for_valid_frames_and_zero_beyond() -> None:
    mask = frame_mask(torch.tensor([3, 0, 4]), torch.zeros(3, 5, 4))
    assert mask.shape == (3, 1, 4)
    assert mask[:, 0].tolist() == [[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]


def test_the_4d_form_has_height_one() -> None:
    mask = frame_mask(torch.tensor([1]), torch.zeros(1, 5, 1, 2))
    assert mask.shape == (1, 1, 1, 2)
    assert mask.flatten().tolist() == [1, 0]


def test_the_mask_takes_the_dtype_of_what_it_multiplies() -> None:
    assert frame_mask(torch.tensor([1]), torch.zeros(1, 2, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_no_frames_give_an_empty_mask() -> None:
    assert frame_mask(torch.tensor([0, 0]), torch.zeros(2, 5, 0)).shape == (2, 1, 0)
