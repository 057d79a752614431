"""A checkpoint of icefall becomes a Zipformer, every weight in its place, or an error that says why not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from linnet.cli import imported
from linnet.cli.main import app
from linnet.core.errors import CheckpointError
from linnet.export.proof import Proof
from linnet.importers.icefall import import_icefall
from linnet.models.ctc import CtcModel
from linnet.models.zipformer.sizes import ZipformerConfig

PIECES = ["<blk>", "<sos/eos>", "<unk>", "▁A", "B", "S"]
QUERY, VALUE, POSITION, POSITIONS = 8, 3, 4, 12
# Layers, width, feed-forward, heads, kernel, downsampling of each stack.
STACKS = [(1, 8, 16, 2, 7, 1), (2, 12, 20, 1, 5, 2)]
Shapes = Iterator[tuple[str, tuple[int, ...]]]


def layer_shapes(width: int, hidden: int, heads: int, kernel: int, *, causal: bool) -> Shapes:
    """Names and shapes as icefall's Zipformer2EncoderLayer has them."""
    scores = heads * (2 * QUERY + POSITION)
    linear = {
        "self_attn_weights.in_proj": (scores, width),
        "self_attn1.in_proj": (heads * VALUE, width),
        "self_attn2.in_proj": (heads * VALUE, width),
        "self_attn1.out_proj": (width, heads * VALUE),
        "self_attn2.out_proj": (width, heads * VALUE),
        "nonlin_attention.in_proj": (3 * (3 * width // 4), width),
        "nonlin_attention.out_proj": (width, 3 * width // 4),
    }
    for number, share in ((1, 3), (2, 4), (3, 5)):
        linear[f"feed_forward{number}.in_proj"] = (hidden * share // 4, width)
        linear[f"feed_forward{number}.out_proj"] = (width, hidden * share // 4)
    for number in (1, 2):
        linear[f"conv_module{number}.in_proj"] = (2 * width, width)
        linear[f"conv_module{number}.out_proj"] = (width, width)
        conv = f"conv_module{number}.depthwise_conv"
        if causal:
            linear[f"{conv}.causal_conv"] = (width, 1, (kernel + 1) // 2)  # type: ignore[assignment]
            linear[f"{conv}.chunkwise_conv"] = (width, 1, kernel)  # type: ignore[assignment]
            yield f"{conv}.chunkwise_conv_scale", (2, width, kernel)
        else:
            linear[conv] = (width, 1, kernel)  # type: ignore[assignment]
    for name, shape in linear.items():
        yield f"{name}.weight", shape
        yield f"{name}.bias", shape[:1]
    yield "self_attn_weights.linear_pos.weight", (heads * POSITION, POSITIONS)
    yield "norm.log_scale", ()
    for name in ("norm.bias", "bypass.bypass_scale", "bypass_mid.bypass_scale", "bypass_scale"):
        yield name, (width,)


def model_shapes(*, causal: bool) -> Shapes:
    for place, shape in ((0, (2, 1, 3, 3)), (4, (3, 2, 3, 3)), (7, (4, 3, 3, 3))):
        yield f"encoder_embed.conv.{place}.weight", shape
        yield f"encoder_embed.conv.{place}.bias", shape[:1]
    for name, shape in (
        ("depthwise_conv", (4, 1, 7, 7)),
        ("pointwise_conv1", (12, 4, 1, 1)),
        ("pointwise_conv2", (4, 12, 1, 1)),
    ):
        yield f"encoder_embed.convnext.{name}.weight", shape
        yield f"encoder_embed.convnext.{name}.bias", shape[:1]
    yield "encoder_embed.out.weight", (8, 4 * 19)
    yield "encoder_embed.out.bias", (8,)
    yield "encoder_embed.out_norm.log_scale", ()
    yield "encoder_embed.out_norm.bias", (8,)
    for stack, (layers, width, hidden, heads, kernel, factor) in enumerate(STACKS):
        inner = "encoder." if factor > 1 else ""
        for layer in range(layers):
            for name, size in layer_shapes(width, hidden, heads, kernel, causal=causal):
                yield f"encoder.encoders.{stack}.{inner}layers.{layer}.{name}", size
        if factor > 1:
            yield f"encoder.encoders.{stack}.downsample.bias", (factor,)
            yield f"encoder.encoders.{stack}.out_combiner.bypass_scale", (width,)
    yield "encoder.downsample_output.bias", (2,)
    yield "ctc_output.1.weight", (len(PIECES), 12)
    yield "ctc_output.1.bias", (len(PIECES),)


def state_dict(*, causal: bool = False) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {name: torch.randn(shape) for name, shape in model_shapes(causal=causal)}


def write(folder: Path, state: object, pieces: list[str] = PIECES) -> Path:
    """A checkpoint with its tokens beside it, in icefall's notation."""
    lines = [f"{piece} {number}" for number, piece in enumerate([*pieces, "#0", "#1"])]
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    torch.save(state, folder / "pretrained.pt")
    return folder / "pretrained.pt"


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return state_dict()


def test_sizes_and_weights_arrive(weights: dict[str, Tensor], tmp_path: Path) -> None:
    result = import_icefall(write(tmp_path, {"model": weights, "epoch": 30}), "mine")
    model, encoder = result.model, result.model.config.encoder
    assert isinstance(encoder, ZipformerConfig)
    assert (encoder.num_layers, encoder.widths, encoder.feed_forward) == ((1, 2), (8, 12), (16, 20))
    assert (encoder.num_heads, encoder.kernels, encoder.downsampling) == ((2, 1), (7, 5), (1, 2))
    assert (encoder.query_width, encoder.value_width, encoder.position_width) == (QUERY, VALUE, POSITIONS)
    assert (encoder.embed_channels, encoder.causal) == ((2, 3, 4), False)
    assert (model.config.name, model.training, result.left_out) == ("mine", False, {})
    assert model.num_parameters() == sum(value.numel() for value in weights.values())
    ours = model.state_dict()
    block, theirs = "encoder.stacks.1.blocks.1.", "encoder.encoders.1.encoder.layers.1."
    for name, place in {
        "attention_weights.in_proj.weight": "self_attn_weights.in_proj.weight",
        "attention2.out_proj.bias": "self_attn2.out_proj.bias",
        "nonlinear_attention.in_proj.weight": "nonlin_attention.in_proj.weight",
        "convolution2.depthwise.weight": "conv_module2.depthwise_conv.weight",
        "feed_forward3.out_proj.weight": "feed_forward3.out_proj.weight",
        "norm.log_scale": "norm.log_scale",
        "middle_bypass.scale": "bypass_mid.bypass_scale",
        "bypass.scale": "bypass.bypass_scale",
        "unused_scale": "bypass_scale",
    }.items():
        assert torch.equal(ours[block + name], weights[theirs + place]), name
    for name, place in {
        "encoder.embedding.conv2.weight": "encoder_embed.conv.4.weight",
        "encoder.embedding.norm.bias": "encoder_embed.out_norm.bias",
        "encoder.stacks.0.blocks.0.feed_forward1.in_proj.bias": (
            "encoder.encoders.0.layers.0.feed_forward1.in_proj.bias"
        ),
        "encoder.stacks.1.downsample.bias": "encoder.encoders.1.downsample.bias",
        "encoder.stacks.1.combine.scale": "encoder.encoders.1.out_combiner.bypass_scale",
        "encoder.downsample.bias": "encoder.downsample_output.bias",
    }.items():
        assert torch.equal(ours[name], weights[place]), name
    widened = weights["encoder_embed.convnext.pointwise_conv1.weight"]
    assert torch.equal(ours["encoder.embedding.convnext.widen.weight"], widened[:, :, 0, 0])


def test_the_blank_moves_behind_the_pieces(weights: dict[str, Tensor], tmp_path: Path) -> None:
    model = import_icefall(write(tmp_path, weights)).model
    assert model.vocabulary.pieces == tuple(PIECES[1:])
    assert torch.equal(model.head.weight[-1, :, 0], weights["ctc_output.1.weight"][0])
    assert torch.equal(model.head.bias[:-1], weights["ctc_output.1.bias"][1:])
    assert model.vocabulary.decode([2, 3, 4]) == "ABS"
    assert model.config.normalizer == "none"
    assert (model.config.frontend.high_hz, model.config.frontend.snip_edges) == (7600.0, False)


def test_a_causal_model_gets_chunks(tmp_path: Path) -> None:
    state = state_dict(causal=True)
    model = import_icefall(write(tmp_path, state)).model
    encoder = model.config.encoder
    assert isinstance(encoder, ZipformerConfig)
    assert (encoder.causal, encoder.chunk_frames, encoder.kernels) == (True, 32, (7, 5))
    ours = model.state_dict()["encoder.stacks.0.blocks.0.convolution1.depthwise.edge_scale"]
    assert torch.equal(
        ours, state["encoder.encoders.0.layers.0.conv_module1.depthwise_conv.chunkwise_conv_scale"]
    )


def test_parts_beside_the_ctc_branch_are_left_out(weights: dict[str, Tensor], tmp_path: Path) -> None:
    more = {"decoder.embedding.weight": torch.ones(5, 4), "joiner.output_linear.bias": torch.ones(5)}
    result = import_icefall(write(tmp_path, {"model": weights | more}))
    assert result.left_out == {"the transducer": 25}


def test_tokens_are_found_in_the_folders_of_a_recipe(weights: dict[str, Tensor], tmp_path: Path) -> None:
    (tmp_path / "exp").mkdir()
    path = write(tmp_path / "exp", weights)
    (tmp_path / "data/lang_bpe_500").mkdir(parents=True)
    (tmp_path / "exp/tokens.txt").rename(tmp_path / "data/lang_bpe_500/tokens.txt")
    assert import_icefall(path).model.vocabulary.pieces == tuple(PIECES[1:])


def test_pieces_come_from_a_model_of_sentencepiece_too(weights: dict[str, Tensor], tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece", reason="the extra text")
    path = write(tmp_path, weights)
    (tmp_path / "tokens.txt").unlink()
    with (tmp_path / "bpe.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["ab"]),
            model_writer=file,
            model_type="bpe",
            vocab_size=7,
            user_defined_symbols=["<blk>", "<sos/eos>"],
            unk_id=2,
            bos_id=-1,
            eos_id=-1,
            minloglevel=3,
        )
    with pytest.raises(CheckpointError, match="lists 7 tokens, the model has 6"):
        import_icefall(path)
    wider = weights | {
        "ctc_output.1.weight": torch.zeros(7, 12),
        "ctc_output.1.bias": torch.zeros(7),
    }
    torch.save(wider, path)
    pieces = import_icefall(path).model.vocabulary.pieces
    assert pieces[:2] == ("<sos/eos>", "<unk>")
    assert len(pieces) == 6


def test_faults_are_named(weights: dict[str, Tensor], tmp_path: Path) -> None:
    def refused(state: object, pieces: list[str] = PIECES) -> str:
        with pytest.raises(CheckpointError) as caught:
            import_icefall(write(tmp_path, state, pieces))
        return str(caught.value)

    without = {key: value for key, value in weights.items() if not key.startswith("ctc_output")}
    assert "has no CTC head" in refused(without)
    assert "holds no Zipformer" in refused({"model": {"weight": torch.ones(2)}})
    assert "unknown to linnet: encoder.encoders.0.layers.0.moe.weight" in refused(
        weights | {"encoder.encoders.0.layers.0.moe.weight": torch.ones(2)}
    )
    norm = "encoder.encoders.0.layers.0.feed_forward1.in_proj.bias"
    assert "has the shape (3,), expected (12,)" in refused(weights | {norm: torch.ones(3)})
    key = "encoder.encoders.0.layers.0.self_attn_weights.linear_pos.weight"
    assert f"lacks {key}" in refused({name: value for name, value in weights.items() if name != key})
    assert "NaN or infinity" in refused(weights | {norm: torch.full((12,), float("nan"))})
    assert "lists 5 tokens, the model has 6" in refused(weights, PIECES[:-1])
    assert "token 0 is '▁A', not the blank" in refused(weights, ["▁A", *PIECES[1:3], "<blk>", "B", "S"])
    assert "not a tensor with a name" in refused({"model": {"encoder.encoders.0": 3}})


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds pickled code \(pathlib"):
        import_icefall(write(tmp_path, {"model": {"path": Path("x")}}))


def test_a_model_without_tokens_says_where_to_get_them(weights: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(weights, tmp_path / "alone.pt")
    with pytest.raises(CheckpointError, match=r"there is no tokens.txt or bpe.model beside the model"):
        import_icefall(tmp_path / "alone.pt")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<blk> 0\nA 0\n", "no piece with an id of its own"),
        (b"<blk> 0\nA 2\n", "without a gap"),
        (b"<blk>\n", "no piece with an id"),
        (b"\xff 0\n", "is not UTF-8"),
    ],
)
def test_bad_tokens_are_named(
    weights: dict[str, Tensor], content: bytes, problem: str, tmp_path: Path
) -> None:
    path = write(tmp_path, weights)
    (tmp_path / "tokens.txt").write_bytes(content)
    with pytest.raises(CheckpointError, match=problem):
        import_icefall(path)


def test_the_command_takes_the_file_and_says_what_it_was(
    weights: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[CtcModel] = []

    def write_imported(model: CtcModel, *_: object) -> Proof:
        written.append(model)
        return Proof(recordings=1, audio_s=2.0, alone=1e-6, batched=1e-6, changed_texts=0)

    monkeypatch.setattr(imported, "write_imported", write_imported)
    path = write(tmp_path, {"model": weights})
    result = CliRunner().invoke(app, ["import", str(path), str(tmp_path / "bundle")], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "model       pretrained: Zipformer of icefall" in result.stdout
    assert isinstance(written[0].config.encoder, ZipformerConfig)
