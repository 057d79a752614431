"""A look at the recordings before the first step: were they made for the model that the run starts from?"""

import logging
from collections.abc import Iterable

from lightning.pytorch import Callback, LightningModule, Trainer

from linnet.audio.archive import as_member
from linnet.audio.read import audio_info
from linnet.core.errors import AudioError
from linnet.data.examples import Example
from linnet.training.datamodule import SpeechData

logger = logging.getLogger(__name__)
LOOKED_AT = 20
LOWER_BELOW = 0.9  # of the model's rate; 44.1 and 48 kHz count as alike, 8 and 16 kHz do not


class SourceRateCheck(Callback):
    """Warns of training data whose sample rate is below that of the source."""

    def __init__(self, source: str) -> None:
        self.source = source

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at some recordings of each part of the training data."""
        data = getattr(trainer, "datamodule", None)
        assert isinstance(data, SpeechData)
        if not trainer.is_global_zero:
            return
        model_hz = data.config.model.frontend.sample_rate_hz
        for index, source in enumerate(data.config.data.train):
            rates = _rates_hz(example for example in data.examples if example.source == index)
            low = [rate for rate in rates if rate < LOWER_BELOW * model_hz]
            if 2 * len(low) > len(rates):
                logger.warning(
                    "%s: %d of %d recordings looked at have %d Hz, %s was trained on %d Hz: what lies above "
                    "%d Hz is missing in them; a source that was made for such recordings may do better",
                    *(source.manifest, len(low), len(rates), max(low), self.source, model_hz, max(low) // 2),
                )


def _rates_hz(examples: Iterable[Example]) -> list[int]:
    """Read the sample rates of some recordings, spread over all; what cannot be read is left to training."""
    locations = [example.utterance.audio for example in examples]
    rates = []
    for location in locations[:: max(1, len(locations) // LOOKED_AT)][:LOOKED_AT]:
        if as_member(location):
            continue
        try:
            rates.append(audio_info(location).sample_rate_hz)
        except (AudioError, OSError):
            continue
    return rates
