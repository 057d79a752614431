"""What a training step of every family takes: audio-seconds per second, memory, and whether it stays finite.

Run: python benchmarks/training.py [--models conformer:s quartznet:5x5] [--precisions float32 bfloat16]
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from multiprocessing import get_context

import torch
from header import print_header

from linnet.models.catalog import ARCHITECTURES
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.optim.config import OptimizerConfig, build_optimizer
from linnet.training.loss import ctc_loss, mean_over_used
from linnet.training.memory import peak_bytes

LABELS_PER_FRAME = 0.4
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PRECISIONS = {"cpu": ["float32"], "cuda": ["float32", "bfloat16", "float16"]}  # what is measured unasked
MIN_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line of the table.

    Attributes:
        model: family and size, such as "conformer:s".
        precision: of autocast; float32 is without.
        utterances, utterance_s: the batch.
        budget_s: time to spend on steps; 0 takes as few as there may be.
        threads: of the CPU.
    """

    model: str
    precision: str
    utterances: int
    utterance_s: float
    budget_s: float
    threads: int


class TrainingStep:
    """All that a step computes: features, network, loss, gradients, update; audio is not read."""

    def __init__(self, job: Job) -> None:
        torch.manual_seed(0)
        self.model = CtcModel(model_config(job.model)).to(DEVICE).train()
        self.optimizer = build_optimizer(OptimizerConfig(name="adamw", lr=1e-4), self.model.parameters())
        self.dtype = getattr(torch, job.precision)
        self.scaler = torch.amp.GradScaler(DEVICE, enabled=job.precision == "float16")
        frontend = self.model.config.frontend
        num_samples = round(job.utterance_s * frontend.sample_rate_hz)
        self.samples = torch.randn(job.utterances, num_samples, device=DEVICE) * 0.1
        self.lengths = torch.full((job.utterances,), num_samples, device=DEVICE)
        labels = int(LABELS_PER_FRAME * job.utterance_s / self.model.frame_shift_s)
        self.tokens = torch.randint(0, 28, (job.utterances, labels), device=DEVICE)
        self.token_lengths = torch.full((job.utterances,), labels, device=DEVICE)

    def __call__(self) -> float:
        """Take one step; gives its loss."""
        features, lengths = self.model.frontend(self.samples, self.lengths)
        with torch.autocast(DEVICE, self.dtype, enabled=self.dtype != torch.float32):
            log_probs, lengths = self.model(features, lengths)
        losses = ctc_loss(log_probs, lengths, self.tokens, self.token_lengths)
        loss = mean_over_used(losses, self.token_lengths)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return float(loss.detach())


def main() -> None:
    smallest = [
        f"{family}:{min(each.sizes, key=lambda size: each.sizes[size].parameters)}"
        for family, each in ARCHITECTURES.items()
    ]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=smallest, help="family:size; default: the smallest")
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS[DEVICE], help="of autocast")
    parser.add_argument("--utterances", type=int, default=8 if DEVICE == "cpu" else 64, help="in a batch")
    parser.add_argument("--utterance-s", type=float, default=5.0)
    parser.add_argument(
        "--long-s", type=float, default=0 if DEVICE == "cpu" else 120, help="one utterance of it"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="time spent on each measurement")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    on = f"on {options.threads} threads" if DEVICE == "cpu" else f"on {torch.cuda.get_device_name()}"
    print_header(
        "torch",
        settings=f"AdamW, batches of {options.utterances} × {options.utterance_s:g} s {on}; each line in a "
        "process of its own",
        measure="the median step, features to update, by the clock and by the processor's own time; memory "
        "beyond the program's; whether losses and weights stay finite",
    )
    columns = f"{'audio-s/s':>9s} {'audio-s/CPU-s':>13s} {'GB':>6s} finite"
    print(f"{'model':22s} {'parameters':>12s} {'precision':9s} {'batch':>9s} {columns}")
    for model in options.models:
        for precision in options.precisions:
            batches = [(options.utterances, options.utterance_s, options.seconds)]
            batches += [(1, options.long_s, 0.0)] if options.long_s else []
            for utterances, utterance_s, budget_s in batches:
                job = Job(
                    model=model,
                    precision=precision,
                    utterances=utterances,
                    utterance_s=utterance_s,
                    budget_s=budget_s,
                    threads=options.threads,
                )
                print(in_own_process(job), flush=True)


def in_own_process(job: Job) -> str:
    """Measure in a new process, whose peak memory no earlier measurement has raised."""
    with get_context("fork" if DEVICE == "cpu" else "spawn").Pool(1) as pool:  # CUDA bears no fork
        return pool.apply(measure, (job,))


def measure(job: Job) -> str:
    """Give one line of the table; of a batch that does not fit, the line that says so."""
    torch.set_num_threads(job.threads)
    batch = f"{job.utterances}×{job.utterance_s:g} s"
    before_bytes = peak_bytes(DEVICE)
    step = TrainingStep(job)
    start = f"{job.model:22s} {step.model.num_parameters():12,d} {job.precision:9s} {batch:>9s}"
    try:
        step_s, step_cpu_s, losses = timed_steps(step, job.budget_s)
    except torch.OutOfMemoryError:
        return f"{start} does not fit"
    weights = all(bool(weight.isfinite().all()) for weight in step.model.parameters())
    finite = f"{len(losses)} steps" if weights and torch.tensor(losses).isfinite().all() else "NO"
    audio_s, used_bytes = job.utterances * job.utterance_s, peak_bytes(DEVICE) - before_bytes
    return f"{start} {audio_s / step_s:9.1f} {audio_s / step_cpu_s:13.1f} {used_bytes / 1e9:6.2f} {finite}"


def timed_steps(step: TrainingStep, budget_s: float) -> tuple[float, float, list[float]]:
    """Return the median seconds of a step behind a first one, and of the processor, and the losses of all."""
    losses, times_s, cpu_times_s = [step()], [], []
    while sum(times_s) < budget_s or len(times_s) < MIN_STEPS:
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        losses.append(step())  # which waits for a GPU
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        times_s.append(time.perf_counter() - start_s)
        cpu_times_s.append(time.process_time() - start_cpu_s)
    return statistics.median(times_s), statistics.median(cpu_times_s), losses


def model_config(model: str) -> ModelConfig:
    """Configure a named size, "family:size", with the front end of its authors, for letters."""
    family, size = model.split(":")
    values = {
        "name": "benchmark",
        "frontend": ARCHITECTURES[family].frontend_of(size),
        "encoder": {family: size},
        "tokenizer": {"kind": "char"},
    }
    return ModelConfig.model_validate(values)


if __name__ == "__main__":
    main()
