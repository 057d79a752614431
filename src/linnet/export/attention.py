"""Attention that sees fewer frames than in training, so that long recordings are read as short ones are."""

from linnet.core.errors import ConfigError
from linnet.models.conformer import ConformerConfig
from linnet.models.ctc import CtcModel


def with_attention_over(model: CtcModel, num_frames: int) -> CtcModel:
    """Let the attention of a Conformer see so many output frames before and behind each.

    No weight changes. Time and memory then grow linearly with the audio (Longformer, arXiv:2004.05150, as in
    NeMo's `change_attention_model`); how much is lost or won on short recordings is to be measured.

    Args:
        model: in evaluation mode.
        num_frames: on each side.

    Raises:
        ConfigError: when the encoder is no Conformer with relative positions and attention not in chunks.
    """
    encoder = model.config.encoder
    if not isinstance(encoder, ConformerConfig) or encoder.chunked or encoder.positions != "relative":
        raise ConfigError(
            "--attention-frames is for Conformers with relative positions, whose attention is not in chunks",
            remedy="Leave the option out",
        )
    local = encoder.model_copy(update={"context_frames": (num_frames, num_frames)})
    found = CtcModel(model.config.model_copy(update={"encoder": local}))
    found.load_state_dict(model.state_dict())
    return found.eval()
