"""Wall Street Journal (LDC93S6, LDC94S13): recordings, .dot transcripts and .ndx lists on many discs.

An utterance is named by 8 letters and digits, of which 3 are the speaker; the names are the same on all
discs, so that files are found by them, however the discs were copied. Parts are those of the usual recipes:
the lists of train_si284, test_dev93 and test_eval92 (20,000 words, no spoken punctuation, close microphone).
Without the lists the directories si_tr_s, si_dt_20 and si_et_20 say which part an utterance belongs to.

The recordings are SPHERE compressed with shorten, which libsndfile does not read; a .wav or .flac of the
same name beside them (made with `sph2pipe -f wav`) is taken first.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.text_lines import numbered_lines

# Last folders and name of each list, in small letters.
LISTS = {
    "wsj1/doc/indices/si_tr_s.ndx": "train_si284",
    "indices/train/tr_s_wv1.ndx": "train_si284",
    "wsj1/doc/indices/h1_p0.ndx": "test_dev93",
    "test/nvp/si_et_20.ndx": "test_eval92",
}
DIRECTORIES = {"si_tr_s": "train_si284", "si_dt_20": "test_dev93", "si_et_20": "test_eval92"}

_SOUND = (".wav", ".flac", ".wv1")  # what is taken first
_DOT_LINE = re.compile(r"(?P<text>.*)\((?P<name>\w{8})\)")
_NOISE = re.compile(r"\[[^\]]*\]")  # [<door_slam], [cough>], [phone_ring/], [<lip_smack>]
_PUNCTUATION = re.compile(r"[^\w\s<*(\\](?=[A-Z][A-Z'-]+$)")  # ,COMMA and .POINT, which were said as words


def read_wsj(source: Path) -> Iterator[Entry | Skipped]:
    """Read the discs below a directory."""
    problems: list[Skipped] = []
    files = sorted(path for path in source.rglob("*") if path.is_file())
    sound = _sound(files)
    texts = _texts(files, problems)
    parts = _listed_parts(files, problems) or _directory_parts(sound)
    yield from problems
    for name, part in parts.items():
        if name not in sound:
            yield Skipped(name, f"listed in {part}, but there is no {name}.wv1, .wav or .flac")
        elif name not in texts:
            yield Skipped(str(sound[name]), "no line in a .dot file")
        else:
            where, text = texts[name]
            yield Entry(where, sound[name], plain_text(text), part, speaker=name[:3])


def plain_text(text: str) -> str:
    """Take the marks out of a .dot transcript: noises and pauses go, words as they were said stay."""
    words = []
    for word in _NOISE.sub(" ", text).replace("\\", "").split():
        plain = word.strip("*<>:!")
        plain = plain.replace(":", "") if ":" in plain else plain
        plain = _PUNCTUATION.sub("", plain, count=1)
        if plain.strip(".~-"):
            words.append(plain)
    return " ".join(words)


def _sound(files: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for suffix in _SOUND:
        for path in files:
            if path.suffix.lower() == suffix:
                found.setdefault(path.name.lower().split(".")[0], path)
    return found


def _texts(files: list[Path], problems: list[Skipped]) -> dict[str, tuple[str, str]]:
    texts: dict[str, tuple[str, str]] = {}
    for path in files:
        if path.suffix.lower() == ".dot":
            for number, line in numbered_lines(path, problems):
                match = _DOT_LINE.fullmatch(line)
                if match:
                    texts.setdefault(match["name"].lower(), (f"{path}, line {number}", match["text"]))
                else:
                    problems.append(Skipped(f"{path}, line {number}", "no name in parentheses at the end"))
    return texts


def _listed_parts(files: list[Path], problems: list[Skipped]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for path in files:
        tail = path.as_posix().lower()
        part = next((part for end, part in LISTS.items() if tail.endswith(end)), None)
        if part:
            for _, line in numbered_lines(path, problems):
                if not line.startswith(";"):
                    parts[line.lower().rpartition("/")[2].split(".")[0]] = part
    return parts


def _directory_parts(sound: dict[str, Path]) -> dict[str, str]:
    return {
        name: part
        for name, path in sound.items()
        for folder, part in DIRECTORIES.items()
        if folder in (parent.name.lower() for parent in path.parents)
    }
