"""TIMIT (LDC93S1): read sentences with phones, as 39 phones or as words.

The 61 phones of the transcripts are folded to 39 for scoring as in Lee and Hon, "Speaker-independent phone
recognition using hidden Markov models" (IEEE ASSP 37, 1989): closures and pauses become sil, the glottal stop
q goes. Parts are those that everybody reports on: train (462 speakers), the core test set (24) and a
development set (50 others of TEST), without the two sentences SA that all speakers share: 3696, 192 and 400
utterances. lhotse's recipe is not used, as it knows neither the LDC's own directories nor small letters.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from linnet.corpora.entry import Entry, Reader, Skipped
from linnet.corpora.text_lines import numbered_lines

_MERGED = {
    "aa": "ao",
    "ah": "ax ax-h",
    "er": "axr",
    "hh": "hv",
    "ih": "ix",
    "l": "el",
    "m": "em",
    "n": "en nx",
    "ng": "eng",
    "sh": "zh",
    "sil": "bcl dcl gcl pcl tcl kcl h# pau epi",
    "uw": "ux",
}
_KEPT = (
    "aa ae ah aw ay b ch d dh dx eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh sil t th uh uw v w y z"
)
DROPPED = "q"

FOLDED_PHONES = {phone: phone for phone in _KEPT.split()} | {
    phone: kept for kept, phones in _MERGED.items() for phone in phones.split()
}

_CORE_TEST = """
fdhc0 felc0 fjlm0 fmgd0 fmld0 fnlp0 fpas0 fpkt0 mbpm0 mcmj0 mdab0 mgrt0 mjdh0 mjln0 mjmp0 mklt0 mlll0 mlnt0
mnjm0 mpam0 mtas1 mtls0 mwbt0 mwew0
"""
_DEV = """
fadg0 faks0 fcal1 fcmh0 fdac1 fdms0 fdrw0 fedw0 fgjd0 fjem0 fjmg0 fjsj0 fkms0 fmah0 fmml0 fnmr0 frew0 fsem0
majc0 mbdg0 mbns0 mbwm0 mcsh0 mdlf0 mdls0 mdvc0 mers0 mgjf0 mglb0 mgwt0 mjar0 mjfc0 mjsw0 mmdb1 mmdm2 mmjr0
mmwh0 mpdf0 mrcs0 mreb0 mrjm4 mrjr0 mroa0 mrtk0 mrws1 mtaa0 mtdt0 mteb0 mthc0 mwjg0
"""
CORE_TEST_SPEAKERS, DEV_SPEAKERS = frozenset(_CORE_TEST.split()), frozenset(_DEV.split())

_SOUND = (".wav.wav", ".wav", ".flac")  # what is taken first


def timit_reader(units: str) -> Reader:
    """Give the reader for `phones` or `words`."""
    return partial(_read, {"phones": ".phn", "words": ".wrd"}[units])


def _read(suffix: str, source: Path) -> Iterator[Entry | Skipped]:
    # Copies differ in the case of their names; some have a .WAV in SPHERE and a .WAV.wav beside it.
    files = {
        path.relative_to(source).as_posix().lower(): path
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }
    for name, path in files.items():
        _, _, file_name = name.rpartition("/")
        if file_name.endswith(suffix) and not file_name.startswith("sa") and (part := _part(name)):
            stem = name.removesuffix(suffix)
            audio = next((files[stem + end] for end in _SOUND if stem + end in files), None)
            yield from _entries(path, audio, part, suffix)


def _part(name: str) -> str:
    """Name the part of a file by its directories; "" for the speakers of TEST that neither set takes."""
    *folders, speaker, _ = ["", *name.split("/")]
    if "train" in folders:
        return "train"
    if speaker in CORE_TEST_SPEAKERS:
        return "test"
    return "dev" if speaker in DEV_SPEAKERS else ""


def _entries(path: Path, audio: Path | None, part: str, suffix: str) -> Iterator[Entry | Skipped]:
    problems: list[Skipped] = []
    units = [_unit(line, suffix) for _, line in numbered_lines(path, problems)]
    yield from problems
    if audio is None:
        yield Skipped(str(path), "there is no .wav beside it")
    elif None in units:
        yield Skipped(str(path), f"line {units.index(None) + 1} is not a start, an end and what is known")
    else:
        text = " ".join(unit for unit in units if unit)
        yield Entry(str(path), audio, text, part, speaker=path.parent.name.lower())


def _unit(line: str, suffix: str) -> str | None:
    """Read a line of start, end and unit: the folded phone ("" for q) or the word; None where it is wrong."""
    *times, unit = line.split()
    if len(times) != 2 or not all(time.isdigit() for time in times):
        return None
    if suffix == ".wrd":
        return unit
    return "" if unit == DROPPED else FOLDED_PHONES.get(unit)
