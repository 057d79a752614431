"""Who may import whom, and what an import loads."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import import_rooms
import style_metrics
from linnet.audio.write import write_audio

WordSpeaker = Callable[..., NDArray[np.float32]]
HEAVY = ("torch", "lightning", "lhotse", "onnx", "onnxruntime", "soundfile", "soxr", "pydantic")


def loaded_modules(statement: str) -> set[str]:
    """Run a statement in a new interpreter and name the modules it left loaded."""
    code = f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_import_contracts_hold(repo_root: Path) -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_torch_contract_covers_every_room_above_the_line(repo_root: Path) -> None:
    pyproject = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in pyproject["tool"]["importlinter"]["contracts"] if "torch" in c["name"])
    rooms = {name for name in import_rooms.modules_above_the_line() if name.count(".") == 1}
    # The command line starts both halves; its imports inside commands are watched by the tests below.
    assert set(contract["source_modules"]) == rooms - {"linnet.cli", "linnet.packaged", "linnet.__main__"}


def test_rooms_above_the_torch_line_import_without_the_extras(repo_root: Path) -> None:
    command = [sys.executable, str(repo_root / "tools" / "import_rooms.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_import_linnet_loads_nothing_else() -> None:
    loaded = loaded_modules("import linnet")
    assert {name for name in loaded if name.partition(".")[0] == "linnet"} == {"linnet"}
    assert not loaded & {"numpy", *HEAVY}


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_modules(
        "from linnet.cli.main import main\n"
        "sys.argv = ['linnet', '--help']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
    )
    assert not loaded & set(HEAVY)


def test_a_transcription_loads_few_modules_and_no_torch(tone_bundle: Path) -> None:
    loaded = loaded_modules(
        "import numpy, linnet\n"
        f"recognizer = linnet.Recognizer.load({str(tone_bundle)!r})\n"
        "recognizer.transcribe(numpy.zeros(16000, numpy.float32))\n"
    )
    ours = {name for name in loaded if name.partition(".")[0] == "linnet"}
    assert not {name.partition(".")[0] for name in loaded} & import_rooms.ONLY_IN_EXTRAS
    assert len(ours) <= style_metrics.MAX_TRANSCRIPTION_MODULES, sorted(ours)


def test_the_command_transcribes_without_the_extras(
    tone_bundle: Path, tmp_path: Path, say_tones: WordSpeaker
) -> None:
    recording = tmp_path / "one.wav"
    write_audio(recording, say_tones("one"))
    loaded = loaded_modules(
        "from linnet.cli.main import main\n"
        f"sys.argv = ['linnet', 'transcribe', {str(recording)!r}, '--model', {str(tone_bundle)!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
    )
    assert "linnet.runtime.session" in loaded
    assert not {name.partition(".")[0] for name in loaded} & import_rooms.ONLY_IN_EXTRAS
