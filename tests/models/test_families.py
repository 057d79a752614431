"""What every architecture owes: padding and company change nothing, training reaches every parameter.

Block tables have more to show of it: test_ctc.py and test_jasper.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.training.loss import ctc_loss

Batch = Callable[..., tuple[Tensor, Tensor]]

RECURRENT = {
    "kind": "deepspeech2",
    "convolutions": [
        {"filters": 3, "kernel": [5, 3], "stride": [2, 2]},
        {"filters": 4, "kernel": [3, 3]},
    ],
    "hidden": 7,
    "num_layers": 2,
    "width": 5,
}
CONFORMER = {
    "kind": "conformer",
    "num_layers": 2,
    "width": 8,
    "num_heads": 2,
    "expansion": 2,
    "subsampling_channels": 4,
}
SQUEEZEFORMER = CONFORMER | {"kind": "squeezeformer", "num_layers": 3, "kernel": 15}
ZIPFORMER = {
    "kind": "zipformer",
    "num_layers": [1, 2, 1],
    "widths": [8, 12, 8],
    "feed_forward": [16, 12, 8],
    "unmasked_widths": [8, 4, 8],
    "downsampling": [1, 4, 2],
    "num_heads": [2, 1, 2],
    "kernels": [7, 3, 15],
    "query_width": 4,
    "value_width": 3,
    "position_head_width": 2,
    "position_width": 6,
    "embed_channels": [2, 3, 4],
    "schedule_steps": 0,
}
LOCAL = {"kernel": 3, "context_frames": [3, 2]}
STREAMING = {"lookahead_frames": 0, "causal_subsampling": True, "conv_norm": "layer"}
ENCODERS: dict[str, dict[str, Any]] = {
    "gru": RECURRENT | {"cell": "gru"},
    "lstm": RECURRENT | {"cell": "lstm"},
    "conformer": CONFORMER | {"kernel": 7, "subsampling": 2},
    "fastconformer": CONFORMER
    | {"kernel": 5, "separable_subsampling": True, "bias": False, "scale_input": False, "projection": 5},
    "tied biases": CONFORMER | {"kernel": 3, "tie_position_biases": True, "context_frames": [2, None]},
    "absolute positions": CONFORMER | {"kernel": 3, "positions": "absolute", "context_frames": [2, 3]},
    "local attention": CONFORMER | LOCAL,
    "global token": CONFORMER | LOCAL | {"context_frames": [2, 2], "global_token": True},
    "own global layers": CONFORMER | {"context_frames": [1, 3], "global_token": True, "global_layers": True},
    "streaming": CONFORMER | STREAMING | {"kernel": 4, "context_frames": [4, 1], "chunked": True},
    "squeezeformer": SQUEEZEFORMER | {"reduce_at": 1},
    "squeezeformer, early": SQUEEZEFORMER
    | {"num_layers": 2, "reduce_at": 0, "recover_at": 1, "subsampling": 2, "kernel": 3, "conv_norm": "layer"},
    "squeezeformer, flat": SQUEEZEFORMER
    | {"adaptive_scale": False, "separable_subsampling": False, "scale_input": False, "kernel": 5},
    "zipformer": ZIPFORMER,
    "zipformer, causal": ZIPFORMER
    | {"causal": True, "chunk_frames": 8, "left_context_frames": 8, "training_chunks": [8]},
}
WAVE_ENCODERS: dict[str, dict[str, Any]] = {  # these read samples
    "wav2vec": {
        "kind": "wav2vec",
        "features": [{"filters": 5, "kernel": 4, "stride": 2}, {"filters": 6, "kernel": 3, "stride": 2}],
        "context_kernels": [2, 3],
    },
    "wav2vec2": {
        "kind": "wav2vec2",
        "convolutions": [[4, 4, 2], [6, 3, 2]],
        "num_layers": 2,
        "width": 8,
        "hidden": 12,
        "num_heads": 2,
        "position_kernel": 4,
        "position_groups": 2,
        "time_mask": {"share": 0.5, "length": 4},
    },
}
TABLES: dict[str, dict[str, Any]] = {
    "table of blocks": {
        "kind": "jasper",
        "blocks": [
            {"filters": 8, "kernel": 15, "repeat": 2, "se": True, "se_reduction": 2},
            {"filters": 6, "kernel": 3},
        ],
    }
}
NUM_FEATURES = 8
LENGTHS = (61, 40, 39, 33, 32, 8, 5, 2, 1)


def build(encoder: str) -> CtcModel:
    """In evaluation mode; no norm, bias or statistic has a value that an error could hide behind."""
    torch.manual_seed(0)
    waveform, logmel = {"kind": "waveform"}, {"num_mels": NUM_FEATURES, "dither": 0.0}
    values = {
        "name": "tiny",
        "frontend": waveform if encoder in WAVE_ENCODERS else logmel,
        "encoder": {**ENCODERS, **WAVE_ENCODERS, **TABLES}[encoder],
        "tokenizer": {"kind": "char", "pieces": ["a", "b", "c"]},
    }
    model = CtcModel(ModelConfig.model_validate(values))
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1 or "bias" in name:
            nn.init.normal_(parameter, 0.0 if "bias" in name else 1.0, 0.4)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2.0)
    return model.eval()


@torch.inference_mode()
@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_company_and_form_change_nothing(encoder: str, padded_batch: Batch) -> None:
    model, (features, lengths) = build(encoder), padded_batch(*LENGTHS, num_features=NUM_FEATURES)
    together, output_lengths = model(features, lengths)
    longer, longer_lengths = model(functional.pad(features, (0, 70), value=9.0), lengths)
    tall, _ = model(features.unsqueeze(2), lengths)
    assert longer_lengths.tolist() == output_lengths.tolist()
    for row, length, *scored, num_frames in zip(
        features, lengths, together, longer, tall, output_lengths, strict=True
    ):
        alone, alone_lengths = model(row[None, :, :length], length[None])
        assert alone_lengths.tolist() == [alone.shape[1]] == [num_frames]
        for log_probs in scored:
            torch.testing.assert_close(log_probs[:num_frames], alone[0], atol=1e-5, rtol=0)
            assert log_probs[:num_frames].argmax(-1).tolist() == alone[0].argmax(-1).tolist()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_training_reaches_every_parameter_and_sees_no_padding(encoder: str, padded_batch: Batch) -> None:
    model = build(encoder).encoder.train()
    features, lengths = padded_batch(61, 33, 1, num_features=NUM_FEATURES)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    statistics = {name: buffer.clone() for name, buffer in model.named_buffers()}
    torch.manual_seed(2)
    expected, _ = model(features * (torch.arange(61) < lengths[:, None, None]), lengths)
    clean = {name: buffer.clone() for name, buffer in model.named_buffers()}
    for name, buffer in model.named_buffers():
        buffer.copy_(statistics[name])
    torch.manual_seed(2)  # the same blocks and channels are skipped
    encoded, output_lengths = model(features, lengths)
    valid = torch.arange(encoded.shape[-1]) < output_lengths[:, None, None]
    torch.testing.assert_close(encoded * valid, expected * valid)
    for name, buffer in model.named_buffers():
        torch.testing.assert_close(buffer, clean[name], msg=name)
    (encoded * valid).pow(3).sum().backward()  # behind a layer norm the sum of squares is almost constant
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # A bias of all keys moves every score of a query alike: softmax does not see it.
        assert parameter.grad.any() or name.endswith("key.bias"), name


@pytest.mark.parametrize(
    ("device", "precision"),
    [
        ("cpu", torch.bfloat16),
        *(
            pytest.param(
                *("cuda", precision),
                marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
            )
            for precision in (torch.bfloat16, torch.float16)
        ),
    ],
)
@pytest.mark.parametrize("encoder", [*ENCODERS, *WAVE_ENCODERS, *TABLES])
def test_training_in_half_precision_stays_finite(
    encoder: str, device: str, precision: torch.dtype, padded_batch: Batch
) -> None:
    model = build(encoder).train().to(device)
    num_features, longest = (1, 700) if encoder in WAVE_ENCODERS else (NUM_FEATURES, 61)
    features, lengths = (each.to(device) for each in padded_batch(longest, 33, num_features=num_features))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler(device, enabled=precision == torch.float16)
    for _ in range(2):
        with torch.autocast(device, precision):
            log_probs, output_lengths = model(features, lengths)
        target = torch.ones(2, 1, dtype=torch.long, device=device)
        loss = ctc_loss(log_probs, output_lengths, target, torch.ones_like(lengths)).sum()
        optimizer.zero_grad()
        torch.autograd.backward(scaler.scale(loss))
        scaler.step(optimizer)
        scaler.update()
        assert loss.isfinite()
    assert [name for name, weight in model.named_parameters() if not weight.isfinite().all()] == []
