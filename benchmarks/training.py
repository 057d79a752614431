"""What a training step of every family takes: audio-seconds per second, memory, and whether it stays finite.

Run: python benchmarks/training.py [--models conformer:s quartznet:5x5] [--devices cpu]

On the CPU, and where there is a GPU there too, also under bf16 and fp16 autocast; each with a batch of short
utterances and with one of two minutes.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
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
DEVICES = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
PRECISIONS = {"cpu": ["float32"], "cuda": ["float32", "bfloat16", "float16"]}  # what is measured unasked
UTTERANCES = {"cpu": 2, "cuda": 64}
MIN_STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line of the table.

    Attributes:
        model: family and size, such as "conformer:s".
        device: "cpu" or "cuda".
        precision: of autocast; float32 is without.
        utterances, utterance_s: the batch.
        budget_s: time to spend on steps; 0 takes as few as there may be.
        threads: of the CPU.
    """

    model: str
    device: str
    precision: str
    utterances: int
    utterance_s: float
    budget_s: float
    threads: int


class TrainingStep:
    """All that a step computes: features, network, loss, gradients, update; audio is not read."""

    def __init__(self, job: Job) -> None:
        torch.manual_seed(0)
        self.model = CtcModel(model_config(job.model)).to(job.device).train()
        self.optimizer = build_optimizer(OptimizerConfig(name="adamw", lr=1e-4), self.model.parameters())
        self.device, self.dtype = job.device, getattr(torch, job.precision)
        self.scaler = torch.amp.GradScaler(job.device, enabled=job.precision == "float16")
        frontend = self.model.config.frontend
        num_samples = round(job.utterance_s * frontend.sample_rate_hz)
        self.samples = torch.randn(job.utterances, num_samples, device=job.device) * 0.1
        self.lengths = torch.full((job.utterances,), num_samples, device=job.device)
        labels = int(LABELS_PER_FRAME * job.utterance_s / self.model.frame_shift_s)
        self.tokens = torch.randint(0, 28, (job.utterances, labels), device=job.device)
        self.token_lengths = torch.full((job.utterances,), labels, device=job.device)

    def __call__(self) -> float:
        """Take one step; gives its loss."""
        features, lengths = self.model.frontend(self.samples, self.lengths)
        with torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32):
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
    parser.add_argument("--devices", nargs="+", choices=list(PRECISIONS), default=DEVICES)
    parser.add_argument(
        "--precisions", nargs="+", help="of autocast; default: all that the device is good at"
    )
    parser.add_argument("--utterances", type=int, help="in a batch")
    parser.add_argument("--utterance-s", type=float, default=5.0)
    parser.add_argument("--long-s", type=float, default=120.0, help="one utterance of it; 0: none")
    parser.add_argument("--seconds", type=float, default=5.0, help="time spent on each batch of short ones")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    print_header(
        "torch",
        settings=f"AdamW, {options.threads} threads on the CPU; each line in a process of its own",
        measure="the median step, features to update, by the clock and by the processor's own time; memory "
        "beyond the program's; whether losses and weights stay finite",
    )
    for device in PRECISIONS:
        absent = device == "cuda" and not torch.cuda.is_available()
        name = torch.cuda.get_device_name() if device == "cuda" and not absent else ""
        print(
            f"{device:10s} "
            + ("there is none here, nothing is measured on it" if absent else name or "measured")
        )
    columns = f"{'audio-s/s':>9s} {'audio-s/CPU-s':>13s} {'GB':>6s} finite"
    print(f"{'model':22s} {'parameters':>12s} {'device':6s} {'precision':9s} {'batch':>9s} {columns}")
    for job in _jobs(options):
        print(in_own_process(job), flush=True)


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    for model in options.models:
        for device in options.devices:
            utterances = options.utterances or UTTERANCES[device]
            batches = [(utterances, options.utterance_s, options.seconds)]
            batches += [(1, options.long_s, 0.0)] if options.long_s else []
            for precision in options.precisions or PRECISIONS[device]:
                for number, utterance_s, budget_s in batches:
                    yield Job(
                        model=model,
                        device=device,
                        precision=precision,
                        utterances=number,
                        utterance_s=utterance_s,
                        budget_s=budget_s,
                        threads=options.threads,
                    )


def in_own_process(job: Job) -> str:
    """Measure in a new process, whose peak memory no earlier measurement has raised."""
    with get_context("fork" if job.device == "cpu" else "spawn").Pool(1) as pool:  # CUDA bears no fork
        return pool.apply(measure, (job,))


def measure(job: Job) -> str:
    """Give one line of the table; of a batch that does not fit, the line that says so."""
    torch.set_num_threads(job.threads)
    batch = f"{job.utterances}×{job.utterance_s:g} s"
    before_bytes = peak_bytes(job.device)
    step = TrainingStep(job)
    start = (
        f"{job.model:22s} {step.model.num_parameters():12,d} {job.device:6s} {job.precision:9s} {batch:>9s}"
    )
    try:
        step_s, step_cpu_s, losses = timed_steps(step, job.budget_s)
    except torch.OutOfMemoryError:
        return f"{start} does not fit"
    weights = all(bool(weight.isfinite().all()) for weight in step.model.parameters())
    finite = f"{len(losses)} steps" if weights and torch.tensor(losses).isfinite().all() else "NO"
    audio_s, used_bytes = job.utterances * job.utterance_s, peak_bytes(job.device) - before_bytes
    return f"{start} {audio_s / step_s:9.1f} {audio_s / step_cpu_s:13.1f} {used_bytes / 1e9:6.2f} {finite}"


def timed_steps(step: TrainingStep, budget_s: float) -> tuple[float, float, list[float]]:
    """Return the median seconds of a step behind a first one, and of the processor, and the losses of all."""
    losses, times_s, cpu_times_s = [step()], [], []
    while sum(times_s) < budget_s or len(times_s) < MIN_STEPS:
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        losses.append(step())  # which waits for a GPU
        if step.device == "cuda":
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
