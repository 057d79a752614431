"""The learning rate over a run."""

import pytest
import torch

from linnet.optim.schedule import (
    ScheduleConfig,
    build_schedule,
    cosine_with_warmup,
    eden_share,
    linear_with_warmup,
    tri_stage_share,
)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.01 / 11),  # lr · (step + 1) / (warm-up + 1)
        (9, 0.01 * 10 / 11),
        (10, 0.01),  # the peak, where both formulas meet
        (60, 0.0055),  # half of the way down, between 0.01 and 0.001
        (110, 0.001),
        (500, 0.001),
    ],
)
def test_the_rate_rises_then_falls_along_a_cosine(step: int, expected: float) -> None:
    lr = cosine_with_warmup(step, 110, peak_lr=0.01, warmup_steps=10, min_lr=0.001)
    assert lr == pytest.approx(expected, rel=1e-9)


def test_a_run_without_warmup_starts_at_the_peak() -> None:
    assert cosine_with_warmup(0, 10, peak_lr=0.3) == 0.3


@pytest.mark.parametrize("total_steps", [0, 5])
def test_a_run_shorter_than_its_warmup_only_rises(total_steps: int) -> None:
    rates = [cosine_with_warmup(step, total_steps, peak_lr=1.0, warmup_steps=5) for step in range(5)]
    assert rates == sorted(rates)
    assert cosine_with_warmup(5, total_steps, peak_lr=1.0, warmup_steps=5) == 0.0


@pytest.mark.parametrize(
    ("step", "epoch", "expected"),
    [
        (0, 0, 0.0045),
        (250, 0, 0.02474313),
        (500, 0, 0.04495014),
        (7500, 3, 0.0329723),
        (30000, 10, 0.0127376),
    ],
)
def test_eden_follows_the_reference(step: int, epoch: int, expected: float) -> None:
    """Values of icefall's class: base rate 0.045, 7500 batches, 3.5 epochs, from a tenth in 500 batches."""
    config = ScheduleConfig(name="eden", warmup_steps=500)
    assert 0.045 * eden_share(config, step, epoch) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("epoch_steps", "epoch"), [(0, 0), (3, 2)])
def test_eden_counts_whole_epochs(epoch_steps: int, epoch: int) -> None:
    config = ScheduleConfig(name="eden", warmup_steps=4, lr_steps=5, epoch_steps=epoch_steps)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = build_schedule(config, optimizer, total_steps=5)
    for _ in range(8):
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * eden_share(config, 8, epoch))


def test_groups_keep_their_ratio_to_the_end() -> None:
    first, second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [first], "lr": 0.1}, {"params": [second], "lr": 0.01}])
    schedule = build_schedule(ScheduleConfig(warmup_steps=2, min_lr=0.001), optimizer, total_steps=10)
    for step in range(12):
        expected = cosine_with_warmup(step, 10, peak_lr=0.1, warmup_steps=2, min_lr=0.001)
        rates = [group["lr"] for group in optimizer.param_groups]
        assert rates == pytest.approx([expected, expected / 10])
        optimizer.step()
        schedule.step()


def test_a_saved_schedule_holds_plain_values() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    state = build_schedule(ScheduleConfig(), optimizer, total_steps=10).state_dict()
    assert all(isinstance(value, int | float | bool | list | None) for value in state.values())


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 0.01),
        (50, 0.505),  # half of the rise
        (100, 1.0),
        (499, 1.0),
        (500, 1.0),
        (750, 0.05**0.5),  # half of the fall, in the logarithm
        (1000, 0.05),
        (2000, 0.05),
    ],
)
def test_tri_stage_rises_stays_and_falls(step: int, share: float) -> None:
    assert tri_stage_share(ScheduleConfig(name="tri_stage"), step, 1000) == pytest.approx(share)


def test_a_line_leads_to_the_lowest_rate() -> None:
    config = ScheduleConfig(name="linear", warmup_steps=9, min_lr=0.1)
    rates = [linear_with_warmup(config, step, 109, peak_lr=1.0) for step in (0, 9, 59, 109, 300)]
    assert rates == pytest.approx([0.1, 1.0, 0.55, 0.1, 0.1])


@pytest.mark.parametrize(("name", "last"), [("linear", 0.05), ("tri_stage", 0.05 * 0.2)])
def test_schedules_are_chosen_by_name(name: str, last: float) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    config = ScheduleConfig.model_validate({"name": name, "warmup_steps": 1, "min_lr": 0.05})
    schedule = build_schedule(config, optimizer, total_steps=4)
    for _ in range(6):
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr() == pytest.approx([last])


def test_stages_are_shares_of_one_run() -> None:
    with pytest.raises(ValueError, match=r"stages must sum to 1, not 1\.1"):
        ScheduleConfig(name="tri_stage", stages=(0.2, 0.4, 0.5))
