"""Seconds of audio that a training step takes in per second, for each QuartzNet table, on CPU and GPU.

Run: python benchmarks/training.py [--variants 5x1 5x5] [--seconds 5] [--threads 2]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from header import print_header

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.quartznet import VARIANTS
from linnet.optim.novograd import NovoGrad
from linnet.training.loss import ctc_loss, mean_over_used

SAMPLE_RATE_HZ = 16_000
LETTERS_PER_S = 15


class TrainingStep:
    """All that a step computes: features, encoder, loss, gradients, update; audio is not read."""

    def __init__(
        self, variant: str, *, utterances: int, utterance_s: float, device: str = "cpu", bf16: bool = False
    ) -> None:
        torch.manual_seed(0)
        config = {"name": "benchmark", "encoder": {"quartznet": variant}, "tokenizer": {"kind": "char"}}
        self.model = CtcModel(ModelConfig.model_validate(config)).to(device).train()
        self.optimizer = NovoGrad(self.model.parameters(), 0.01, (0.8, 0.5), weight_decay=0.001)
        self.autocast = torch.autocast(device, torch.bfloat16, enabled=bf16)
        self.audio_s = utterances * utterance_s
        num_samples, num_labels = round(utterance_s * SAMPLE_RATE_HZ), round(utterance_s * LETTERS_PER_S)
        self.samples = torch.randn(utterances, num_samples, device=device) * 0.1
        self.lengths = torch.full((utterances,), num_samples, device=device)
        self.tokens = torch.randint(0, 28, (utterances, num_labels), device=device)
        self.token_lengths = torch.full((utterances,), num_labels, device=device)

    def __call__(self) -> None:
        """Take one step."""
        features, lengths = self.model.frontend(self.samples, self.lengths)
        with self.autocast:
            log_probs, lengths = self.model(features, lengths)
        losses = ctc_loss(log_probs, lengths, self.tokens, self.token_lengths)
        self.optimizer.zero_grad()
        mean_over_used(losses, self.token_lengths).backward()
        self.optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument(
        "--utterances", type=int, default=8, help="in a batch on CPU; eight times that on GPU"
    )
    parser.add_argument("--utterance-s", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=5.0, help="time spent on each measurement")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print_header(
        "torch",
        settings=f"batches of {options.utterances} × {options.utterance_s:g} s on {options.threads} threads",
        measure="seconds of audio per second in the median step, features to update",
    )
    for variant in options.variants:
        for name, device, bf16, factor in placements():
            utterances = factor * options.utterances
            step = TrainingStep(
                variant, utterances=utterances, utterance_s=options.utterance_s, device=device, bf16=bf16
            )
            median_s = median_seconds(step, options.seconds, device)
            print(f"{variant:5s} {name:30s} {step.audio_s / median_s:9.1f}")


def placements() -> list[tuple[str, str, bool, int]]:
    """Name, device, mixed precision and size of the batch relative to the CPU's, of all that is here."""
    found = [("CPU, float32", "cpu", False, 1)]
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        found += [(f"{name}, float32", "cuda", False, 8), (f"{name}, bfloat16", "cuda", True, 8)]
    return found


def median_seconds(step: Callable[[], None], budget_s: float, device: str) -> float:
    """Median time of a step, over at least two after a first one."""
    step()
    times_s: list[float] = []
    while sum(times_s) < budget_s or len(times_s) < 2:
        wait_for(device)
        start_s = time.perf_counter()
        step()
        wait_for(device)
        times_s.append(time.perf_counter() - start_s)
    return statistics.median(times_s)


def wait_for(device: str) -> None:
    """Let a GPU finish what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
