"""Puts the weights of another model into a new one, and says of each whether it was taken and why not."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from linnet.core.errors import ConfigError
from linnet.core.files import write_text
from linnet.core.patterns import chosen
from linnet.models.checkpoint import Checkpoint
from linnet.models.ctc import CtcModel
from linnet.models.encoders import stands_on
from linnet.text.tokenizer import build_tokenizer
from linnet.text.vocabulary import BLANK, Vocabulary
from linnet.training.init_config import InitConfig

logger = logging.getLogger(__name__)
REPORT_FILE = "init.yaml"
MAX_LISTED_WEIGHTS = 10
HEAD = "head."
ENCODER, FIRST = "encoder.", "encoder.first."
OTHER_LABELS = "another vocabulary"


@dataclass(slots=True, kw_only=True)
class Transfer:
    """What became of each weight.

    Attributes:
        taken: names of those that were taken whole.
        by_label: those of the head of which only rows were taken, with how many.
        new: those that start anew, with the reason.
        unused: those of the source that have no place, with the reason.
        head: what happened to the head, for people.
    """

    taken: list[str] = field(default_factory=list)
    by_label: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    head: str = ""


def transfer_weights(model: CtcModel, source: Checkpoint, init: InitConfig) -> Transfer:
    """Copy into `model` what fits of `source` and `init` asks for.

    The head's rows belong to labels: where the vocabularies differ, even in their order alone, those of
    labels in both are copied one by one (unless `init.keep_known_labels` is false), the blank's with them.
    The encoder of the source becomes the first one of a stack.

    Raises:
        ConfigError: when nothing is taken, or a pattern fits nothing.
    """
    own, theirs = model.state_dict(), _weights_for(model, source)
    everything = {**theirs, **own}
    included = chosen(everything, init.include, "init.include") if init.include else frozenset(everything)
    included -= chosen(everything, init.exclude, "init.exclude")
    labels = _Labels.between(model.vocabulary, build_tokenizer(source.config.tokenizer).vocabulary)
    kept = labels.rows if init.keep_known_labels else {}
    result = Transfer()
    for name, weight in own.items():
        stored = theirs.get(name)
        if name not in included:
            result.new[name] = "excluded"
        elif stored is None:
            result.new[name] = "not in the source"
        elif name.startswith(HEAD) and labels.differ and labels.are_rows_of(weight, stored):
            if not kept:
                result.new[name] = OTHER_LABELS
                continue
            weight[list(kept)] = stored[list(kept.values())].to(weight.dtype)
            result.by_label[name] = f"{len(kept)} of {len(weight)} rows"
        elif stored.shape != weight.shape:
            result.new[name] = f"shape {_shape(weight)} here, {_shape(stored)} in the source"
        else:
            weight.copy_(stored)
            result.taken.append(name)
    for name in theirs.keys() - own.keys():
        result.unused[name] = "no such weight here" if name in included else "excluded"
    result.head = labels.describe(kept, result)
    if not result.taken and not result.by_label:
        raise ConfigError(
            "nothing of the source was taken",
            where=init.path,
            remedy="Look at init.include and init.exclude, and whether both are of one architecture",
        )
    return result


def _weights_for(model: CtcModel, source: Checkpoint) -> Mapping[str, Tensor]:
    """Return the weights of the source by the names that they have in the model."""
    if not stands_on(model.config.encoder, source.config.encoder):
        return source.weights
    return {
        FIRST + name.removeprefix(ENCODER) if name.startswith(ENCODER) else name: weight
        for name, weight in source.weights.items()
    }


def report_transfer(result: Transfer, model: CtcModel, source: Checkpoint, init: InitConfig) -> None:
    """Log what was taken, and warn of weights outside the head that start anew."""
    sizes = {name: weight.numel() for name, weight in model.named_parameters()}
    taken = sum(sizes.get(name, 0) for name in result.taken)
    counts = f"{len(result.taken)} of {len(model.state_dict())} tensors taken"
    logger.info(
        "init: %s (%s): %s, %s of %s parameters",
        *(init.path, source.config.name, counts, f"{taken:,}", f"{sum(sizes.values()):,}"),
    )
    logger.info("init: %s", result.head)
    anew = [f"{name} ({why})" for name, why in result.new.items() if not name.startswith(HEAD)]
    if anew:
        more = f" and {len(anew) - MAX_LISTED_WEIGHTS} more" if len(anew) > MAX_LISTED_WEIGHTS else ""
        logger.warning(
            "init: %d tensors start anew: %s%s", len(anew), ", ".join(anew[:MAX_LISTED_WEIGHTS]), more
        )
    keeps_labels = result.by_label or any(name.startswith(HEAD) for name in result.taken)
    if keeps_labels and source.config.normalizer != model.config.normalizer:
        logger.warning(
            "init: the labels kept were trained on texts of the normalizer %r, this run uses %r",
            *(source.config.normalizer, model.config.normalizer),
        )


def write_report(path: Path, result: Transfer, source: Checkpoint, init: InitConfig) -> None:
    """Write as YAML what became of each weight."""
    values: dict[str, Any] = {
        "source": init.path,
        "model": source.config.name,
        "step": source.step,
        "head": result.head,
        "started_anew": result.new,
        "taken_by_label": result.by_label,
        "not_used": result.unused,
        "taken": result.taken,
    }
    write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110))


@dataclass(frozen=True, slots=True)
class _Labels:
    """Which label of the new vocabulary is which of the source's: `rows` maps ids here to ids there."""

    here: Vocabulary
    there: Vocabulary
    rows: Mapping[int, int]

    @classmethod
    def between(cls, here: Vocabulary, there: Vocabulary) -> "_Labels":
        ids = {piece: token_id for token_id, piece in enumerate(there.pieces)}
        rows = {index: ids[piece] for index, piece in enumerate(here.pieces) if piece in ids}
        if rows:  # a blank that was learned beside other labels would only silence the new ones
            rows[here.blank_id] = there.blank_id
        return cls(here, there, rows)

    @property
    def differ(self) -> bool:
        return self.here.pieces != self.there.pieces

    def are_rows_of(self, weight: Tensor, stored: Tensor) -> bool:
        return (
            weight.dim() > 0
            and (len(weight), len(stored)) == (self.here.size, self.there.size)
            and weight.shape[1:] == stored.shape[1:]
        )

    def describe(self, kept: Mapping[int, int], result: Transfer) -> str:
        if self.differ:
            names = [*self.here.pieces, BLANK]
            labels = [names[row] for row in (kept if result.by_label else ())]
            listed = f": {' '.join(labels)}" if labels else ""
            text = (
                f"{self.there.size} outputs replaced by {self.here.size}; {len(labels)} labels kept{listed}"
            )
        else:
            text = f"{self.here.size} outputs for the same labels"
        anew = [f"{name} ({why})" for name, why in result.new.items() if name.startswith(HEAD)]
        anew = [each for each in anew if OTHER_LABELS not in each]
        return f"head: {text}" + (f"; these start anew: {', '.join(anew)}" if anew else "")


def _shape(weight: Tensor) -> str:
    return "×".join(map(str, weight.shape)) or "one value"
