"""`linnet export --for`: from a checkpoint or a bundle to the folder that another program reads."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from linnet.cli.console import print_result, print_warning


def export_foreign(
    source: Path,
    directory: Path,
    program: str,
    export_to: Callable[[Path], None] | None,
    *,
    force: bool,
    replace: bool,
) -> None:
    """Say what the program computes otherwise, and write the folder that it reads.

    Args:
        source: a checkpoint, a bundle, or the name of a packaged model.
        directory: the folder.
        program: the name of its package.
        export_to: writes the proved bundle of the source; None where the source is the bundle.
        force: write it though its texts will be wrong.
        replace: whether such a folder that is there may go.
    """
    from linnet.bundle.reader import read_bundle
    from linnet.export.foreign import check_free_for, export_for
    from linnet.export.onnx_asr import ONNX_ASR
    from linnet.export.sherpa_onnx import SHERPA_ONNX
    from linnet.runtime.packaged import find_model

    target = {each.name: each for each in (SHERPA_ONNX, ONNX_ASR)}[program]
    check_free_for(target, directory, replace=replace)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "bundle"
        if export_to is not None:
            export_to(path)
        else:
            path = find_model(str(source))
        bundle = read_bundle(path)
        differences = target.compare(bundle)
        for entry in (*(differences.prevents if force else ()), *differences.changes):
            print_warning(f"{program}: {entry}")
        export_for(target, bundle, directory, force=force, replace=replace)
    print_result(f"wrote {directory}")
