"""The head of a model card in YAML, as the Hugging Face hub reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from linnet.bundle.schema import BundleSpec

TASK = "automatic-speech-recognition"
_WER = "WER "  # begins the name of a metric, before that of the data it was measured on


def front_matter(
    spec: BundleSpec, *, proof: Mapping[str, Any] | None = None, tags: Sequence[str] = ()
) -> str:
    """Write the head of a card, between its two rulers.

    Word error rates become `model-index`, from which the hub makes its table of results.

    Args:
        spec: the description of the bundle.
        proof: how far the exported graph is from its source.
        tags: besides those of every card.
    """
    head: dict[str, Any] = {
        "language": spec.language,
        "license": spec.license.lower(),
        "library_name": "linnet",
        "pipeline_tag": TASK,
        "tags": [TASK, "ctc", "onnx", *tags],
    }
    if results := [_result(name, value) for name, value in spec.metrics.items() if name.startswith(_WER)]:
        head["metrics"] = ["wer"]
        head["model-index"] = [{"name": spec.name, "results": results}]
    if proof is not None:
        head["proof"] = dict(proof)
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n"


def _result(name: str, value: float) -> dict[str, Any]:
    data = name.removeprefix(_WER)
    return {
        "task": {"type": TASK},
        "dataset": {"name": data, "type": data},
        "metrics": [{"type": "wer", "value": value}],
    }
