"""Can each architecture learn? 64 real utterances by heart, with the smallest sizes, timed.

Run: python benchmarks/overfit.py data/speechocean762/train.jsonl [--families conformer n2] [--threads 2]

The first 64 utterances of the manifest are training and test set in one. A model that cannot read them to
nearly no error after some minutes cannot learn anything.
"""

import argparse
import json
import shutil
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from header import print_header

from linnet.core.config import load_config
from linnet.evaluation.evaluate import evaluate
from linnet.manifest.jsonl import scan_manifest
from linnet.models.encoders import expand_variant
from linnet.models.recognizer import CheckpointRecognizer
from linnet.training.config import TrainConfig
from linnet.training.run import train

RECIPES = Path(__file__).parents[1] / "recipes/speechocean762"
NUM_UTTERANCES = 64
ADAMW = {"name": "adamw", "lr": 0.002, "betas": [0.9, 0.98], "weight_decay": 0.0}
SLOWER = ADAMW | {"lr": 0.001}
FASTER = ADAMW | {"lr": 0.004}
SCALED_ADAM = {"name": "scaled_adam", "lr": 0.045}
NOVOGRAD = {"name": "novograd", "lr": 0.01, "betas": [0.95, 0.5], "weight_decay": 0.0}

# A quarter of the filters and frames of 40 ms, since the second convolution of the named sizes is half of a
# step; one recurrent layer, since with two the stage in which all frames are blank lasts longer.
CONVOLUTIONS = (
    {"filters": 8, "kernel": [11, 41], "stride": [2, 2]},
    {"filters": 8, "kernel": [11, 21], "stride": [2, 2]},
)
N2_CONVOLUTIONS = (*CONVOLUTIONS, {"filters": 16, "kernel": [11, 21], "stride": [1, 2]})
# Regularizers that fade within a tenth of the run; the widths of the recipe, with half of its blocks.
ZIPFORMER = {
    "num_layers": [1, 1, 2, 1],
    "widths": [112, 128, 160, 128],
    "feed_forward": [320, 384, 480, 384],
    "unmasked_widths": [112, 128, 160, 128],
    "downsampling": [1, 2, 4, 2],
    "num_heads": [4, 4, 4, 4],
    "kernels": [31, 31, 15, 31],
    "embed_channels": [8, 16, 32],
    "schedule_steps": 50,
}
# Features of wav2vec 1.0 with fewer channels where frames are many, and a shorter context, below a Conformer.
WAV2VEC = {
    "kind": "stack",
    "first": {
        "kind": "wav2vec",
        "features": [
            {"filters": filters, "kernel": kernel, "stride": stride}
            for filters, kernel, stride in ((32, 10, 5), (64, 8, 4), (96, 4, 2), (128, 4, 2), (128, 4, 2))
        ],
        "context_kernels": [2, 3, 4],
    },
    "then": {"conformer": "s", "width": 144, "num_layers": 4},
}
RECURRENT = {"hidden": 160, "num_layers": 1, "width": 320}


@dataclass(frozen=True, slots=True)
class Task:
    """How a family learns by heart.

    Attributes:
        encoder: a small size; its dropout is taken out, and of the layers in a block of a table one is left.
        optimizer: as in a configuration.
        steps: of `batch_s` seconds of speech each.
        batch_s: as in a configuration.
        blocks: of a table's blocks those that are left; none: all.
    """

    encoder: dict[str, Any]
    optimizer: dict[str, Any]
    steps: int
    batch_s: float = 25.0
    blocks: tuple[int, ...] = ()


TASKS = {
    "quartznet": Task({"quartznet": "5x1"}, ADAMW, 300),
    "jasper": Task({"jasper": "dr-small"}, ADAMW, 400),
    "wave2letter": Task({"wave2letter": "small"}, NOVOGRAD, 400),
    "citrinet": Task({"citrinet": 128}, ADAMW, 400),
    # With all 23 blocks it stalls: README.md beside the recipe.
    "contextnet": Task({"contextnet": "nemo-128"}, FASTER, 800, 12.0, (0, 1, 3, 5, 7, 9, 12, 14, 17, 20, 22)),
    "deepspeech2": Task({"deepspeech2": "small", **RECURRENT, "convolutions": CONVOLUTIONS}, FASTER, 600),
    "n2": Task({"n2": "base", **RECURRENT, "convolutions": N2_CONVOLUTIONS}, FASTER, 500),
    "conformer": Task({"conformer": "s", "width": 144, "num_layers": 4}, SLOWER, 300),
    "fastconformer": Task({"fastconformer": "s", "num_layers": 4}, SLOWER, 300),
    "squeezeformer": Task({"squeezeformer": "xs", "num_layers": 6, "reduce_at": 2}, SLOWER, 300),
    "wav2vec": Task(WAV2VEC, SLOWER, 400),
    "wav2vec2": Task({"wav2vec2": "tiny"}, SLOWER, 500),
    "zipformer": Task({"zipformer": "s", **ZIPFORMER}, SCALED_ADAM, 500),
}
WAVES = {"wav2vec": 30.0, "wav2vec2": 25.0}  # that read samples, and the ms that a frame hears
WORD_FAMILIES = ("citrinet", "contextnet", "fastconformer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="of speechocean762, or of other short sentences")
    parser.add_argument("--families", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="other than the tasks' own")
    options = parser.parse_args()
    print_header(
        "torch",
        settings=f"{NUM_UTTERANCES} utterances, {options.threads} threads",
        measure="errors on the very utterances that were learned",
    )
    warnings.simplefilter("ignore")
    print(
        f"{'family':14s} {'parameters':>10s} {'steps':>5s} {'minutes':>7s} {'CPU-minutes':>11s} {'CER':>7s} "
        f"{'WER':>7s}"
    )
    with tempfile.TemporaryDirectory() as temporary:
        lines = options.manifest.read_text(encoding="utf-8").splitlines()[:NUM_UTTERANCES]
        manifest = Path(temporary) / "smoke.jsonl"
        manifest.write_text("\n".join(_with_whole_paths(line, options.manifest) for line in lines) + "\n")
        for family in options.families:
            print(measure(family, manifest, options.threads, options.steps), flush=True)
            shutil.rmtree(manifest.parent / family, ignore_errors=True)


def measure(family: str, manifest: Path, threads: int, steps: int) -> str:
    """Train one family, and give its line of the table."""
    task = TASKS[family]
    config = load_config(
        TrainConfig,
        RECIPES / "smoke.yaml",
        [
            f"output_dir={manifest.parent / family}",
            f"model.frontend={json.dumps(_frontend(family))}",
            f"model.encoder={json.dumps(_encoder(task))}",
            f"optimizer={json.dumps(task.optimizer)}",
            f"model.tokenizer={json.dumps(_tokenizer(family, manifest))}",
            f"data.train.0.manifest={manifest}",
            f"data.dev.0.manifest={manifest}",
            f"data.batch_s={task.batch_s}",
            f"trainer.max_steps={steps or task.steps}",
            f"trainer.num_threads={threads}",
            f"trainer.gradient_clip={0.0 if task.optimizer == SCALED_ADAM else 1.0}",
        ],
    )
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    result = train(config, lambda status: None)
    minutes, cpu_minutes = (time.monotonic() - start_s) / 60, (time.process_time() - start_cpu_s) / 60
    recognizer = CheckpointRecognizer.load(result.final)
    report = evaluate(recognizer, list(scan_manifest(manifest).utterances))
    return (
        f"{family:14s} {recognizer.model.num_parameters():10,d} {steps or task.steps:5d} {minutes:7.1f} "
        f"{cpu_minutes:11.1f} {report.characters.rate:7.2%} {report.words.rate:7.2%}"
    )


def _encoder(task: Task) -> Any:
    values = _small(_expanded(task.encoder))
    return values | {"blocks": [values["blocks"][index] for index in task.blocks]} if task.blocks else values


def _expanded(encoder: dict[str, Any]) -> Any:
    parts = {part: _expanded(encoder[part]) for part in ("first", "then") if part in encoder}
    return {**encoder, **parts} if parts else expand_variant(encoder)


def _small(values: Any) -> Any:
    if isinstance(values, dict):
        small = {key: 0.0 if "dropout" in key else _small(value) for key, value in values.items()}
        return small | ({"repeat": 1} if "repeat" in small else {})
    return [_small(value) for value in values] if isinstance(values, list | tuple) else values


def _frontend(family: str) -> Any:
    """Take the front end of the family's recipe."""
    if family in WAVES:
        return {"kind": "waveform", "window_ms": WAVES[family]}
    config = load_config(TrainConfig, RECIPES / family / "config.yaml")
    return config.model.frontend.model_dump(mode="json")


def _tokenizer(family: str, manifest: Path) -> Any:
    """Take letters, or whole words where a frame lasts 80 ms, longer than many letters."""
    if family not in WORD_FAMILIES:
        return {"kind": "char"}
    texts = [json.loads(line)["text"] for line in manifest.read_text(encoding="utf-8").splitlines()]
    return {"kind": "word", "pieces": sorted({word for text in texts for word in text.split()})}


def _with_whole_paths(line: str, manifest: Path) -> str:
    utterance = json.loads(line)
    audio = manifest.parent / utterance["audio_filepath"]
    return json.dumps({**utterance, "audio_filepath": str(audio.resolve())})


if __name__ == "__main__":
    main()
