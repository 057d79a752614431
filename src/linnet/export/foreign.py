"""A bundle for another program: what that program computes differently, and the folder it reads."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linnet.bundle.front_matter import front_matter
from linnet.bundle.reader import Bundle
from linnet.bundle.schema import BundleSpec
from linnet.bundle.writer import check_free
from linnet.core.errors import ExportError
from linnet.core.files import new_directory
from linnet.features.config import FrontendConfig
from linnet.runtime.session import CtcSession
from linnet.text.vocabulary import is_byte_piece

MODEL_FILE = "model.onnx"
CARD_FILE = "README.md"

_TRIED_FRAMES = (64, 65, 67, 97, 128)


@dataclass(frozen=True, slots=True)
class Differences:
    """What another program computes in another way than the model was trained with.

    Attributes:
        prevents: what makes its texts wrong, so that nothing is written unless forced.
        changes: what may change a word here and there.
    """

    prevents: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignProgram:
    """A program that runs CTC models, and how to please it.

    Attributes:
        name: of its package.
        files: what its folder holds, besides the model and the card.
        compare: finds what it computes differently.
        num_outputs: how many frames of log-probs it reads for T frames of features at a subsampling.
        write: writes the model and the other files into an empty folder.
        usage: lines of Python that transcribe with it, for a folder.
    """

    name: str
    files: tuple[str, ...]
    compare: Callable[[Bundle], Differences]
    num_outputs: Callable[[int, int], int]
    write: Callable[[Bundle, Path], None]
    usage: Callable[[BundleSpec], str]


def unequal(frontend: FrontendConfig, theirs: Mapping[str, Any]) -> list[str]:
    """List the settings of a front end that another program has fixed to other values.

    Args:
        frontend: the model's.
        theirs: attributes of `FrontendConfig` with the values that the program allows, one or a tuple.
    """
    found = []
    for key, value in theirs.items():
        allowed = value if isinstance(value, tuple) else (value,)
        if (ours := getattr(frontend, key)) not in allowed:
            found.append(f"{key} is {ours} here and always {' or '.join(map(str, allowed))} there")
    return found


def unwritable_pieces(bundle: Bundle) -> list[str]:
    """Say that byte pieces are not joined into letters, if the vocabulary has any."""
    if not any(map(is_byte_piece, bundle.vocabulary.pieces)):
        return []
    return ["its pieces are bytes of UTF-8, which are not joined into letters there"]


def export_for(
    program: ForeignProgram, bundle: Bundle, directory: Path, *, force: bool = False, replace: bool = False
) -> None:
    """Write the folder that another program reads.

    Args:
        program: which.
        bundle: the model.
        directory: where; it may exist when it is empty.
        force: write it though its texts will be wrong; the card then says so.
        replace: whether such a folder that is there may go.

    Raises:
        BundleError: when something is in the way, or the model cannot be run.
        ExportError: when the texts would be wrong, or the model in the folder is not that of the bundle.
    """
    check_free_for(program, directory, replace=replace)
    differences = program.compare(bundle)
    if differences.prevents and not force:
        raise ExportError(
            f"{program.name} computes features otherwise: {'; '.join(differences.prevents)}",
            where=str(bundle.path),
            remedy="Nothing was written. Train a model with such features, or write it anyway with --force",
        )
    with new_directory(directory) as staging:
        program.write(bundle, staging)
        (staging / CARD_FILE).write_text(_card(program, bundle.spec, differences), encoding="utf-8")
        _check_lengths(program, bundle.spec, CtcSession(staging / MODEL_FILE))


def check_free_for(program: ForeignProgram, directory: Path, *, replace: bool = False) -> None:
    """Say before any work that `export_for` would refuse a directory.

    Raises:
        BundleError: when something is in the way.
    """
    check_free(directory, replace=replace, files=(MODEL_FILE, CARD_FILE, *program.files))


def spec_as_json(spec: BundleSpec) -> str:
    """Write a description on one line, without the checksums of files that change."""
    return json.dumps(spec.model_dump(mode="json", exclude={"files"}), ensure_ascii=False)


def _check_lengths(program: ForeignProgram, spec: BundleSpec, session: CtcSession) -> None:
    """Run the model as the program will: it must give at least the frames that the program reads."""
    for num_frames in _TRIED_FRAMES:
        features = np.zeros((1, spec.frontend.num_features, num_frames), np.float32)
        log_probs, _ = session.log_probs(features, np.array([num_frames], np.int64))
        wanted = program.num_outputs(num_frames, spec.subsampling)
        if log_probs.shape[1] < wanted:
            raise ExportError(
                f"{program.name} reads {wanted} frames of log-probabilities where the model gives "
                f"{log_probs.shape[1]} for {num_frames} of features",
                remedy="Nothing was written; this model cannot run there",
            )


def _card(program: ForeignProgram, spec: BundleSpec, differences: Differences) -> str:
    wrong = _listed("Written by force: the texts will be wrong", differences.prevents)
    changed = _listed(f"What {program.name} computes otherwise", differences.changes)
    return f"""{front_matter(spec, tags=[program.name])}
# {spec.name} for {program.name}

{spec.description or "A CTC speech recognizer."} Made with linnet {spec.created_with}.

```python
{program.usage(spec)}
```
{wrong}{changed}"""


def _listed(title: str, entries: Sequence[str]) -> str:
    return f"\n## {title}\n\n" + "".join(f"- {entry}\n" for entry in entries) if entries else ""
