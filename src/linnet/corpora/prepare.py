"""From a directory to manifests: what a corpus's reader hands on is checked, divided and written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from linnet.audio.decoder import AudioInfo
from linnet.audio.read import audio_info
from linnet.core.errors import AudioError, LinnetError, ManifestError
from linnet.core.files import write_text
from linnet.corpora.catalog import CORPORA, FORMATS, Corpus
from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.hashed_split import PARTS, hashed_part
from linnet.corpora.readers import READERS
from linnet.corpora.report import PrepareReport, check_free, write_parts
from linnet.corpora.sphere import is_shortened
from linnet.corpora.summary import summary_page
from linnet.corpora.unpacked import UnpackedAudio
from linnet.manifest.utterance import Utterance

END_TOLERANCE_S = 0.1  # that an utterance may reach beyond the recording: times are rounded

SHORTENED = "compressed with shorten: unpack it with sph2pipe -f wav call.sph call.wav"


def prepare_corpus(
    name: str,
    source: Path,
    output: Path,
    *,
    force: bool = False,
    progress: Callable[[int], None] = lambda num_done: None,
) -> PrepareReport:
    """Write one manifest a part, and `<name>.md` that tells what they hold.

    Parts are those of the corpus; where it has none, `hashed_part` of the speaker (of the recording's path
    below `source`, where speakers are unknown) says which. What cannot be used is left out and named.

    Args:
        name: a name of the catalog.
        source: what the catalog's layout says.
        output: the directory for manifests, and for recordings that had to be taken out of archives.
        force: replace what exists.
        progress: called with the number of utterances looked at.

    Raises:
        ManifestError: when nothing can be used, or something exists and `force` is not given.
        MissingDependencyError: when the reader needs lhotse and that is not installed.
    """
    corpus = FORMATS.get(name) or CORPORA[name]
    page = output / f"{name}.md"
    check_free(output, corpus.parts, force=force)
    if page.exists() and not force:
        raise ManifestError(
            "the summary exists already",
            where=str(page),
            remedy="Choose another output directory, or replace it with --force",
        )
    if not source.exists():
        raise ManifestError("no such file or directory", where=str(source), remedy=corpus.layout)
    collector = _Collector(corpus, source, UnpackedAudio(output / "audio", force))
    try:
        for number, entry in enumerate(READERS[name](source), start=1):
            collector.add(entry)
            progress(number)
    finally:
        collector.unpacked.close()
    parts = collector.ordered_parts()
    check_free(output, tuple(parts), force=force)
    report = PrepareReport(write_parts(output, parts), tuple(collector.skipped), note=corpus.license_note)
    write_text(page, summary_page(corpus, report))
    return report


@dataclass
class _Collector:
    """Checks entries against their recordings and gathers them by part."""

    corpus: Corpus
    source: Path
    unpacked: UnpackedAudio
    parts: dict[str, list[Utterance]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Many utterances of a talk follow each other; the cache ends with the run, as files may change.
        self._info = lru_cache(maxsize=256)(_info)

    def add(self, entry: Entry | Skipped) -> None:
        """Take an entry into its part, or note why not."""
        if isinstance(entry, Skipped):
            self.skipped.append(entry)
            return
        try:
            utterance = self._utterance(entry)
        except LinnetError as error:
            place = f"{error.where}: " if error.where not in ("", entry.where) else ""
            self.skipped.append(Skipped(entry.where, place + error.what))
        else:
            self.parts.setdefault(entry.part or self._hashed(utterance), []).append(utterance)

    def ordered_parts(self) -> dict[str, list[Utterance]]:
        """Give the parts in the order of the split, further ones by name.

        Raises:
            ManifestError: when there are none.
        """
        if not self.parts:
            first = f"; the first: {self.skipped[0].what}: {self.skipped[0].reason}" if self.skipped else ""
            raise ManifestError(
                f"no recording with a text ({len(self.skipped)} left out{first})",
                where=str(self.source),
                remedy=self.corpus.layout,
            )
        order = {part: index for index, part in enumerate(self.corpus.parts or PARTS)}
        return dict(sorted(self.parts.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))

    def _utterance(self, entry: Entry) -> Utterance:
        """Check an entry; its sound is taken out of an archive or a channel where needed."""
        if entry.text is not None and not entry.text.strip():
            raise ManifestError("no text for this audio")
        audio = self.unpacked.member(entry.audio, entry.member) if entry.member else entry.audio
        info = self._info(audio)
        if entry.channel is not None and info.channels > 1:
            audio = self.unpacked.channel(audio, entry.channel)
        rest_s = info.duration_s - entry.offset_s
        if entry.duration_s is not None and entry.duration_s > rest_s + END_TOLERANCE_S:
            end_s = entry.offset_s + entry.duration_s
            raise ManifestError(f"ends at {end_s:.2f} s, but the recording at {info.duration_s:.2f} s")
        prefix = self.corpus.speaker_prefix
        return Utterance(
            audio=str(audio),
            duration_s=round(rest_s if entry.duration_s is None else entry.duration_s, 4),
            text=None if entry.text is None else " ".join(entry.text.split()),
            offset_s=round(entry.offset_s, 4),
            speaker=prefix + entry.speaker.removeprefix(prefix) if entry.speaker else "",
            language=entry.language or self.corpus.language,
            extra=entry.extra,
        )

    def _hashed(self, utterance: Utterance) -> str:
        audio = Path(utterance.audio)
        path = audio.relative_to(self.source) if audio.is_relative_to(self.source) else audio
        return hashed_part(utterance.speaker or path.as_posix())


def _info(audio: Path) -> AudioInfo:
    try:
        return audio_info(audio)
    except AudioError as error:
        if is_shortened(audio):
            raise AudioError(SHORTENED, where=error.where) from error
        raise
