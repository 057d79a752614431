"""The kinds of findings: each says what it is and what to do."""

import json
from collections.abc import Callable

from linnet.manifest.findings import KINDS, Line, Severity, found, found_in

LineMaker = Callable[..., Line]


def test_every_kind_has_a_title_and_a_remedy() -> None:
    assert [code for code, kind in KINDS.items() if not (kind.title and kind.remedy)] == []


def test_only_errors_and_copies_are_left_out() -> None:
    left_out = {code for code, kind in KINDS.items() if kind.leaves_out and kind.severity != Severity.ERROR}
    assert left_out == {"duplicate-audio"}


def test_a_finding_is_plain_json(make_line: LineMaker) -> None:
    finding = found("empty-text", make_line("", 7), "the text is ''")
    assert json.loads(json.dumps(finding.to_dict())) == {
        "severity": "warning",
        "code": "empty-text",
        "manifest": "train.jsonl",
        "line": 7,
        "what": "the text is ''",
        "remedy": KINDS["empty-text"].remedy,
    }


def test_a_finding_may_know_a_better_remedy() -> None:
    assert found_in("bad-line", "a.jsonl", "broken", 3, "Mend it").remedy == "Mend it"
