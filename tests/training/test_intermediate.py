"""CTC on the outputs of blocks inside an encoder."""

from collections.abc import Callable

import pytest
import torch

from linnet.core.errors import ConfigError
from linnet.data.batch import Batch
from linnet.training.config import TrainConfig
from linnet.training.loss import ctc_loss
from linnet.training.module import CtcTraining

pytestmark = pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # without a trainer
SMALL = (
    "width: 8, num_heads: 2, subsampling: 2, subsampling_channels: 2, kernel: 3, dropout: 0.0, "
    "attention_dropout: 0.0"
)
CONFORMER = f"model.encoder={{kind: conformer, num_layers: 3, {SMALL}}}"
SQUEEZEFORMER = f"model.encoder={{kind: squeezeformer, num_layers: 3, reduce_at: 1, recover_at: 2, {SMALL}}}"


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        samples=torch.randn(2, 6400, generator=generator) * 0.1,
        lengths=torch.tensor([6400, 4960]),
        tokens=torch.tensor([[0, 1], [1, 0]]),
        token_lengths=torch.tensor([2, 1]),
        auxiliary_tokens=torch.zeros(2, 0, dtype=torch.long),
        auxiliary_token_lengths=torch.tensor([-1, -1]),
        texts=["one two", "two"],
        names=["a.wav", "b.wav"],
    )


@pytest.mark.parametrize(("encoder", "rate"), [(CONFORMER, 1), (SQUEEZEFORMER, 2)])
def test_the_loss_is_that_of_the_encoder_and_of_the_block(
    make_config: Callable[..., TrainConfig], batch: Batch, encoder: str, rate: int
) -> None:
    torch.manual_seed(0)
    module = CtcTraining(make_config(encoder, "intermediate={blocks: [2], weight: 0.25}")).train()
    block_outputs: list[torch.Tensor] = []
    block = module.model.encoder.get_submodule("blocks.1")
    block.register_forward_hook(lambda *call: block_outputs.append(call[2]))
    loss = module.training_step(batch, 0)
    features, lengths = module.model.frontend(batch.samples, batch.lengths)
    encoded, lengths = module.model.encoder(features, lengths)
    inside_lengths = (lengths + rate - 1) // rate
    inside = module.model.score(block_outputs[0].transpose(1, 2), inside_lengths)
    whole = ctc_loss(module.model.score(encoded, lengths), lengths, batch.tokens, batch.token_lengths)
    inner = ctc_loss(inside, inside_lengths, batch.tokens, batch.token_lengths)
    torch.testing.assert_close(loss, 0.75 * whole.mean() + 0.25 * inner.mean())


def test_evaluation_keeps_nothing(make_config: Callable[..., TrainConfig], batch: Batch) -> None:
    module = CtcTraining(make_config(CONFORMER, "intermediate={blocks: [1]}")).eval()
    with torch.no_grad():
        module.validation_step(batch, 0)
    assert module.intermediate is not None
    assert module.intermediate.take(1, batch.lengths) == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([CONFORMER, "intermediate={blocks: [3]}"], "the encoder has 3 blocks"),
        (["intermediate={blocks: [1]}"], "cannot be scored by the head"),
    ],
)
def test_blocks_that_cannot_be_scored_are_refused(
    make_config: Callable[..., TrainConfig], overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        CtcTraining(make_config(*overrides))
