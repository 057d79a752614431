"""The list of what was left out is a manifest again."""

import json
from collections.abc import Callable
from pathlib import Path

from linnet.core.errors import ManifestError
from linnet.manifest.jsonl import scan_manifest
from linnet.manifest.selection import LeftOut, write_left_out
from linnet.manifest.utterance import Utterance


def test_the_list_holds_fields_reasons_and_bad_lines(
    make_utterance: Callable[..., Utterance], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").touch()
    short = make_utterance(str(tmp_path / "a.wav"), 0.1, extra={"snr": 3})
    problem = ManifestError("is not JSON", where="m.jsonl, line 3")
    path = tmp_path / "left.jsonl"
    write_left_out(path, [LeftOut(short, "below 1 s", "0.10"), LeftOut(short, "no text")], [problem])
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["left_out"] == "below 1 s: 0.10"
    assert lines[1]["left_out"] == "no text"
    assert lines[2] == {"left_out": "m.jsonl, line 3: is not JSON"}
    again = scan_manifest(path)
    assert [each.extra["snr"] for each in again.utterances] == [3, 3]
    assert len(again.problems) == 1
