"""What a process may use and has used, as Linux tells it."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra train")

from linnet.training import memory

MIB = 2**20


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 1 MiB free whose process has 256 kB."""
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal: 9999 kB\nMemAvailable:    1024 kB\n", encoding="ascii")
    (tmp_path / "self" / "status").write_text("VmHWM:\t 512 kB\nVmRSS:\t 256 kB\n", encoding="ascii")
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    return tmp_path


def test_what_is_free_counts_and_what_the_process_has(system: Path) -> None:
    assert memory.capacity_bytes("cpu") == (1024 + 256) * 1024
    assert memory.peak_bytes("cpu") == 512 * 1024


def test_the_limit_of_a_container_counts(system: Path) -> None:
    (system / "memory.max").write_text(f"{MIB}\n", encoding="ascii")
    (system / "memory.stat").write_text(f"anon {MIB // 2}\nfile 999999\n", encoding="ascii")
    assert memory.capacity_bytes("cpu") == MIB // 2 + 256 * 1024
    (system / "memory.max").write_text("max\n", encoding="ascii")
    assert memory.capacity_bytes("cpu") == (1024 + 256) * 1024


def test_a_system_without_proc_gives_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    assert memory.capacity_bytes("cpu") > 100 * MIB
    assert memory.peak_bytes("cpu") > 0
