"""What `linnet bench` measures: the cost of each stage from file to text, and all around it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took.

    Attributes:
        wall_s: seconds on the clock.
        cpu_s: seconds of all threads of this process on processors: more than on the clock where several
            threads work, less where other processes take turns.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one model took on so many threads.

    Attributes:
        model: its name.
        precision: of its graph: "float32" or "int8".
        parameters: how many numbers training learned.
        size_bytes: of its graph on disk.
        decoding: how the texts are found.
        threads: for the network.
        num_cores: that the process was kept on; None where the system cannot.
        audio_s: seconds of audio in a pass.
        load_s: from the name of the model to its recognizer.
        stages: what each stage took in the median pass.
        latencies_s: what each recording took from file to text, in every pass.
        peak_memory_bytes: the most the process ever held; None where the system does not tell.
    """

    model: str
    precision: str
    parameters: int
    size_bytes: int
    decoding: str
    threads: int
    num_cores: int | None
    audio_s: float
    load_s: float
    stages: dict[str, Cost]
    latencies_s: tuple[float, ...]
    peak_memory_bytes: int | None

    @property
    def total(self) -> Cost:
        """The cost of all stages."""
        return sum(self.stages.values(), Cost())
