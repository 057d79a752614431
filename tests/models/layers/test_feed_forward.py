"""The feed-forward module: its equation."""

import torch

from linnet.models.layers.feed_forward import FeedForward


def test_the_equation() -> None:
    torch.manual_seed(0)
    module, x = FeedForward(4, 12, dropout=0.5).eval(), torch.randn(2, 3, 4)
    hidden = x @ module.expand.weight.T + module.expand.bias
    expected = (hidden * hidden.sigmoid()) @ module.contract.weight.T + module.contract.bias
    torch.testing.assert_close(module(x), expected)
