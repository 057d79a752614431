"""Hub5'00: the scored STM, a channel a speaker, and its marks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.read import read_audio
from linnet.corpora.hub5 import plain_text

Prepare = Callable[..., Any]

STM = """\
;; CATEGORY "0" "" ""
;; LABEL "O" "Overall" "the whole"
en_4156 A en_4156_A 0.10 0.60 <O,en,F,en-F>  HE IS A POLICE OFFICER
en_4156 B en_4156_B 0.50 1.20 <O,en,M,en-M>  (%HESITATION) YEAH (WE-) WE'RE <B_ASIDE> OKAY <E_ASIDE>
en_4156 A en_4156_A 0.60 0.70 <O,en,F,en-F>  IGNORE_TIME_SEGMENT_IN_SCORING
en_4156 A en_4156_A 1.00 1.10 <O,en,F,en-F>  (%HESITATION)
en_4156 B en_4156_B 1.20 9.00 <O,en,M,en-M>  TOO LONG
en_9999 A en_9999_A 0.10 0.60 <O,en,F,en-F>  NO CALL
en_4156 A broken
"""


def test_the_published_layout(tmp_path: Path, stereo_call: Callable[[Path], Path], prepared: Prepare) -> None:
    root = tmp_path / "ldc"
    stereo_call(root / "LDC2002S09/hub5e_00/english/en_4156.sph")
    reference = root / "LDC2002T43/2000_hub5_eng_eval_tr/reference"
    reference.mkdir(parents=True)
    (reference / "hub5e00.english.000405.stm").write_text(STM)
    (reference / "hub5e00.mandarin.000405.stm").write_text(STM)
    corpus = prepared("hub5", root)
    assert corpus.texts() == {"test": ["HE IS A POLICE OFFICER", "YEAH WE'RE OKAY"]}
    first, second = corpus.parts["test"]
    assert (first.speaker, second.speaker) == ("hub5_en_4156_a", "hub5_en_4156_b")
    assert (second.offset_s, second.duration_s) == (0.5, 0.7)
    reasons = corpus.reasons()
    name = "hub5e00.english.000405.stm, line"
    assert reasons[f"{name} 7"] == "ends at 9.00 s, but the recording at 2.00 s"
    assert reasons[f"{name} 8"] == "there is no recording en_9999.sph"
    assert "not a recording, channel" in reasons[f"{name} 9"]
    assert len(reasons) == 3
    for utterance, frequency_hz in ((first, 300), (second, 1500)):
        spectrum = np.abs(np.fft.rfft(read_audio(utterance.audio, sample_rate_hz=8000)[:8000]))
        assert int(spectrum.argmax()) == frequency_hz, "the utterance has the other side of the call"


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("(%HESITATION) I (I-) THINK SO", "I THINK SO"),
        ("{ UH-HUH / MHM / @ } RIGHT", "UH-HUH RIGHT"),
        ("GOIN(G) (YOU KNOW) HOME", "GOIN G YOU KNOW HOME"),
        ("<B_ASIDE> NO <E_ASIDE>", "NO"),
        ("(%HESITATION)", ""),
    ],
)
def test_marks_of_scoring(marked: str, plain: str) -> None:
    assert plain_text(marked) == plain
