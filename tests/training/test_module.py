"""One step of training: its loss, its random numbers, and the refusal of a loss that is no number."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch

from linnet.core.errors import TrainingError
from linnet.data.batch import Batch
from linnet.optim.novograd import NovoGrad
from linnet.training.config import TrainConfig
from linnet.training.loss import consistency_loss, ctc_loss
from linnet.training.module import CtcTraining

pytestmark = pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # without a trainer
ZIPFORMER = (
    "model.encoder={kind: zipformer, num_layers: [1, 1], widths: [8, 12], feed_forward: [8, 8], "
    "unmasked_widths: [8, 8], downsampling: [1, 2], num_heads: [1, 2], kernels: [3, 5], "
    "embed_channels: [2, 2, 3], schedule_steps: 10}"
)
AUXILIARY = "auxiliary={weight: 0.25, tokenizer: {kind: char, pieces: [n, o]}}"


@pytest.fixture
def batch() -> Batch:
    """Three utterances of noise; the second without a target for the model's own head."""
    generator = torch.Generator().manual_seed(0)
    return Batch(
        samples=torch.randn(3, 6400, generator=generator) * 0.1,
        lengths=torch.tensor([6400, 4800, 6000]),
        tokens=torch.tensor([[0, 1], [0, 0], [1, 0]]),
        token_lengths=torch.tensor([2, -1, 1]),
        auxiliary_tokens=torch.tensor([[1, 2], [2, 1], [0, 0]]),
        auxiliary_token_lengths=torch.tensor([2, 2, -1]),
        texts=["one two", "", "two"],
        names=["a.wav", "b.wav", "c.wav@2s"],
    )


@pytest.fixture
def make_module(make_config: Callable[..., TrainConfig]) -> Callable[..., CtcTraining]:
    """`make_module("key=value", …)` → a module in training mode."""

    def make(*overrides: str) -> CtcTraining:
        torch.manual_seed(0)
        return CtcTraining(make_config(*overrides)).train()

    return make


def head_losses(module: CtcTraining, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean losses of both heads, over the utterances that have targets."""
    features, lengths = module.model.frontend(batch.samples, batch.lengths)
    encoded, lengths = module.model.encoder(features, lengths)
    main = ctc_loss(module.model.score(encoded, lengths), lengths, batch.tokens, batch.token_lengths)
    scores = module.auxiliary_head(encoded).transpose(1, 2).log_softmax(-1)
    other = ctc_loss(scores, lengths, batch.auxiliary_tokens, batch.auxiliary_token_lengths)
    return main.sum() / 2, other.sum() / 2


def test_the_loss_mixes_both_heads(make_module: Callable[..., CtcTraining], batch: Batch) -> None:
    module = make_module(AUXILIARY)
    main, other = head_losses(module, batch)
    torch.testing.assert_close(module.training_step(batch, 0), 0.75 * main + 0.25 * other)


def test_without_an_auxiliary_head_the_loss_is_the_heads_own(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    main, _ = head_losses(make_module(AUXILIARY), batch)
    module = make_module()
    assert module.auxiliary_head is None
    torch.testing.assert_close(module.training_step(batch, 0), main)


def test_two_views_are_trained_on_the_text_and_on_each_other(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    masks = "feature_augment={spec_augment: {time_masks: 2, time_width: 8}}"
    module = make_module(AUXILIARY, masks, "cr_ctc={weight: 0.5}")
    features, lengths = module.model.frontend(batch.samples, batch.lengths)
    features = module.augment(features.repeat(2, 1, 1), lengths.repeat(2), module._mask_generator(0))
    assert not torch.equal(*features.chunk(2))  # masked apart
    encoded, lengths = module.model.encoder(features, lengths.repeat(2))
    log_probs = module.model.score(encoded, lengths)
    views = [
        ctc_loss(rows, lengths[:3], batch.tokens, batch.token_lengths).sum() / 2
        for rows in log_probs.chunk(2)
    ]
    scores = module.auxiliary_head(encoded).transpose(1, 2).log_softmax(-1)
    other = [
        ctc_loss(rows, lengths[:3], batch.auxiliary_tokens, batch.auxiliary_token_lengths).sum() / 2
        for rows in scores.chunk(2)
    ]
    divergence = consistency_loss(log_probs, lengths)[[0, 2]].mean()  # the second has no target
    expected = 0.75 * (sum(views) / 2 + 0.5 * divergence) + 0.25 * sum(other) / 2
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_auxiliary_speech_teaches_the_encoder_and_not_the_head(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    module = make_module(AUXILIARY)
    batch.token_lengths = torch.full((3,), -1)
    module.training_step(batch, 0).backward()
    assert module.model.head.weight.grad.abs().sum() == 0
    assert module.model.encoder.blocks[0].sub_blocks[0].mixing.weight.grad.abs().sum() > 0
    assert module.auxiliary_head.weight.grad.abs().sum() > 0


def test_features_are_masked_in_training_by_seed_and_batch(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    masks = "feature_augment={spec_augment: {freq_masks: 2, time_masks: 2}}"
    plain, masked, again = (make_module(*keys).training_step(batch, 0) for keys in ((), (masks,), (masks,)))
    other = make_module(masks, "trainer.seed=5").training_step(batch, 0)
    second = make_module(masks).training_step(batch, 1)  # of the same optimizer step, where two make one
    assert masked == again
    assert len({loss.item() for loss in (plain, masked, other, second)}) == 4


def test_dither_and_dropout_depend_on_seed_and_batch_alone(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    keys = ("model.frontend.dither=0.01", "model.encoder.blocks.1.dropout=0.3")
    module, other = make_module(*keys), make_module(*keys, "trainer.seed=5")
    first = module.training_step(batch, 0)
    torch.manual_seed(99)
    assert module.training_step(batch, 0) == first
    assert len({first.item(), *(each.training_step(batch, 1).item() for each in (module, other))}) == 3


def test_audio_that_is_no_number_names_its_batch(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    batch.samples[2, 100] = float("nan")  # which the batch norms spread to all
    message = (
        r"step 0: the loss of 2 of 3 utterances is not a number: a\.wav, c\.wav@2s\..*trainer\.resume=true"
    )
    with pytest.raises(TrainingError, match=message):
        make_module().training_step(batch, 0)


def test_where_nothing_is_spread_one_utterance_is_named_alone(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    batch.samples[2, 100] = float("nan")
    with pytest.raises(TrainingError, match=r"the loss of 1 of 3 utterances is not a number: c\.wav@2s\."):
        make_module().eval().training_step(batch, 0)


def test_bad_weights_name_every_utterance_with_a_target(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    module = make_module()
    torch.nn.init.constant_(module.model.head.bias, float("nan"))
    with pytest.raises(TrainingError, match=r"the loss of 2 of 3 utterances .*: a\.wav, c\.wav@2s"):
        module.training_step(batch, 0)


def test_a_bad_auxiliary_loss_stops_too(make_module: Callable[..., CtcTraining], batch: Batch) -> None:
    module = make_module(AUXILIARY)
    torch.nn.init.constant_(module.auxiliary_head.bias, float("nan"))
    with pytest.raises(TrainingError, match=r"the loss of 2 of 3 utterances .*: a\.wav, b\.wav"):
        module.training_step(batch, 0)


def test_optimizer_and_schedule_follow_the_configuration(make_module: Callable[..., CtcTraining]) -> None:
    module = make_module(
        AUXILIARY,
        "optimizer={name: novograd, lr: 0.03, betas: [0.9, 0.4]}",
        "schedule={warmup_steps: 4, min_lr: 0.001}",
        "trainer.max_steps=10",
    )
    wiring: dict[str, Any] = module.configure_optimizers()
    optimizer, schedule = wiring["optimizer"], wiring["lr_scheduler"]["scheduler"]
    assert wiring["lr_scheduler"]["interval"] == "step"
    assert isinstance(optimizer, NovoGrad)
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.4)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(module.parameters()))
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:5] == pytest.approx([0.006, 0.012, 0.018, 0.024, 0.03])
    assert rates[10] == pytest.approx(0.001)


def test_the_checkpoint_tells_its_model(make_module: Callable[..., CtcTraining]) -> None:
    module, checkpoint = make_module(), {}
    module.on_save_checkpoint(checkpoint)
    assert checkpoint["linnet"] == {"format": 1, "model": module.config.model.model_dump(mode="json")}


def test_a_model_with_schedules_hears_of_the_step(
    make_module: Callable[..., CtcTraining], batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = make_module(ZIPFORMER)
    monkeypatch.setattr(CtcTraining, "global_step", 4)
    module.on_train_batch_start(batch, 0)
    assert module.model.encoder.clock.batches == pytest.approx(4 / 10 * 20_000)


def test_schedules_regularizers_and_optimizer_go_on_from_a_checkpoint(
    make_module: Callable[..., CtcTraining], batch: Batch
) -> None:
    def advance(module: CtcTraining, optimizer: torch.optim.Optimizer, steps: range) -> None:
        for step in steps:
            module.model.at_step(step)
            optimizer.zero_grad()
            module.training_step(batch, step).backward()
            optimizer.step()

    def start() -> tuple[CtcTraining, torch.optim.Optimizer]:
        module = make_module(ZIPFORMER, "optimizer={name: scaled_adam}", "trainer.gradient_clip=0")
        return module, module.configure_optimizers()["optimizer"]

    straight, stopped, resumed = start(), start(), start()
    advance(*straight, range(8))
    advance(*stopped, range(5))
    for after, before in zip(resumed, stopped, strict=True):
        file = io.BytesIO()
        torch.save(before.state_dict(), file)
        file.seek(0)
        after.load_state_dict(torch.load(file, weights_only=True))
    advance(*resumed, range(5, 8))
    expected = straight[0].state_dict()
    assert not all(bool(value) for key, value in expected.items() if key.endswith("_extra_state"))
    for key, value in resumed[0].state_dict().items():
        assert torch.equal(value, expected[key]), key
