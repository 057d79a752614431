"""VoxForge: one directory a recording session, with the prompts and a few sentences each.

Source: http://www.voxforge.org. A session is `<speaker>-<date>-<letters>`, holds `etc/PROMPTS` (or, in older
ones, `etc/prompts-original`) and its sound in `wav` or `flac`. "anonymous" is not one speaker: each of these
sessions counts as another.
"""

from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.text_lines import numbered_lines

PROMPTS = ("PROMPTS", "prompts-original")
SOUND = (("wav", ".wav"), ("flac", ".flac"))


def read_voxforge(source: Path) -> Iterator[Entry | Skipped]:
    """Read the sessions below a directory."""
    for session in sorted({path.parent for path in source.rglob("etc") if path.is_dir()}):
        yield from _read_session(session)


def _read_session(session: Path) -> Iterator[Entry | Skipped]:
    prompts = next((path for name in PROMPTS if (path := session / "etc" / name).is_file()), None)
    sound = next(((session / name, suffix) for name, suffix in SOUND if (session / name).is_dir()), None)
    if prompts is None or sound is None:
        missing = "wav or flac" if prompts else " or ".join(f"etc/{name}" for name in PROMPTS)
        yield Skipped(str(session), f"there is no {missing}")
        return
    folder, suffix = sound
    person = session.name.partition("-")[0]
    speaker = session.name if person.lower() == "anonymous" else person
    problems: list[Skipped] = []
    for number, line in numbered_lines(prompts, problems):
        name, _, text = line.partition(" ")
        audio = folder / f"{name.rpartition('/')[2]}{suffix}"
        yield Entry(f"{prompts}, line {number}", audio, text, speaker=speaker)
    yield from problems
