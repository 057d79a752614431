"""How much memory a training process may use, and how much it has used, on the CPU or on a GPU."""

import os
from contextlib import suppress
from pathlib import Path

import torch

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


def capacity_bytes(device: str) -> int:
    """Tell how much this process may use in all: what it has now, and what is free.

    On Linux, what is free on the machine counts, and what the container still may take; elsewhere, the memory
    that the machine has.
    """
    if device == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info()
        return free_bytes + torch.cuda.memory_reserved()
    try:
        free_bytes = _kilobytes(_PROC / "meminfo", "MemAvailable")
        allowed_bytes = _container_bytes()
        own_bytes = _kilobytes(_PROC / "self" / "status", "VmRSS")
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return own_bytes + (free_bytes if allowed_bytes is None else min(free_bytes, allowed_bytes))


def peak_bytes(device: str) -> int:
    """Tell the most memory that this process has had up to now."""
    if device == "cuda":
        return torch.cuda.max_memory_reserved()
    try:
        return _kilobytes(_PROC / "self" / "status", "VmHWM")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def be_ended_first() -> None:
    """Ask Linux to end this process before all others when the memory runs out."""
    with suppress(OSError):
        (_PROC / "self" / "oom_score_adj").write_text("1000", encoding="ascii")


def _kilobytes(path: Path, name: str) -> int:
    """Read a line such as `VmHWM:   1234 kB` in bytes."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"{path} has no {name}")


def _container_bytes() -> int | None:
    """Read what a container with a limit of its own (cgroup 2) still may take; None where there is none."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        lines = (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    if limit == "max":
        return None
    used = dict(line.split() for line in lines)
    return max(0, int(limit) - int(used["anon"]))  # cached files give way
