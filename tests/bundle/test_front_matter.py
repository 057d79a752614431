"""The head of a model card is what the hub reads."""

import pytest
import yaml

from linnet.bundle.front_matter import front_matter
from linnet.bundle.schema import BundleSpec


def test_the_head_has_results_and_proof(spec: BundleSpec) -> None:
    measured = spec.model_copy(update={"metrics": {"WER fsdd-test": 1.667, "RTFx": 200.0}})
    head = front_matter(measured, proof={"alone": 1e-6, "changed_texts": 0}, tags=["onnx-asr"])
    assert head.startswith("---\n")
    assert head.endswith("\n---\n")
    values = yaml.safe_load(head.strip("-\n"))
    assert (values["language"], values["license"], values["library_name"]) == ("en", "apache-2.0", "linnet")
    assert values["tags"] == ["automatic-speech-recognition", "ctc", "onnx", "onnx-asr"]
    assert values["proof"] == {"alone": 1e-6, "changed_texts": 0}
    assert len(values["model-index"][0]["results"]) == 1


def test_the_hubs_own_package_reads_the_results(spec: BundleSpec) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="reading cards as the hub does needs the extra hub")
    measured = spec.model_copy(update={"metrics": {"WER fsdd-test": 1.667}})
    card = hub.ModelCard(front_matter(measured) + "\n# toy\n")
    (result,) = card.data.eval_results
    found = (result.task_type, result.dataset_name, result.metric_type, result.metric_value)
    assert found == ("automatic-speech-recognition", "fsdd-test", "wer", 1.667)


def test_a_strangers_words_stay_values(spec: BundleSpec) -> None:
    injected = spec.model_copy(update={"license": "mit\nlibrary_name: other\n---"})
    values = yaml.safe_load(front_matter(injected).removeprefix("---\n").removesuffix("---\n"))
    assert (values["library_name"], values["license"]) == ("linnet", "mit\nlibrary_name: other\n---")
