"""NeMo's decoders for CTC as heads of ours: ConvASRDecoder (one linear layer) and LSTMDecoder."""

import re

from pydantic import ValidationError

from linnet.core.config_error import config_error
from linnet.core.errors import CheckpointError
from linnet.importers.section import Section
from linnet.models.heads import HeadConfig, LinearHeadConfig, LstmHeadConfig

_LSTM_KEY = re.compile(r"lstm_layer\.((?:weight|bias)_[ih]h)_l(\d+)(_reverse)?")


def translate_head(class_name: str, section: Section) -> HeadConfig:
    """Turn the section of a decoder into a head; its vocabulary and size are read elsewhere.

    Raises:
        CheckpointError: for a decoder, key or value that linnet does not compute.
    """
    section.expect("add_blank", [True])
    section.ignore("feat_in", "init_mode", "vocabulary", "num_classes")
    try:
        head: HeadConfig
        if class_name == "ConvASRDecoder":
            head = LinearHeadConfig()
        elif class_name == "LSTMDecoder":
            head = LstmHeadConfig(
                hidden=section.take("lstm_hidden_size", int),
                num_layers=section.take("num_layers", int, 1),
                bidirectional=section.take("bidirectional", bool, False),
            )
        else:
            raise CheckpointError(
                f"the decoder {class_name!r} is not supported; known: ConvASRDecoder, LSTMDecoder",
                where=section.where,
            )
    except ValidationError as error:
        raise CheckpointError(
            config_error(error, LstmHeadConfig, section.where).what, where=section.where
        ) from None
    section.finish()
    return head


def rename_head(key: str, config: HeadConfig) -> str:
    """Turn a key of the decoder's state dict, without its prefix, into ours.

    Raises:
        KeyError: for a key that no such decoder has.
    """
    part, _, value = key.rpartition(".")
    if isinstance(config, LinearHeadConfig):
        if part == "decoder_layers.0":
            return value
    elif part == "linear_layer":
        return f"linear.{value}"
    elif match := _LSTM_KEY.fullmatch(key):
        direction = "backward_rnn" if match[3] else "forward_rnn"
        return f"rnn.layers.{match[2]}.{direction}.{match[1]}_l0"
    raise KeyError(key)
