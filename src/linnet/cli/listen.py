"""`linnet listen`: speech from a microphone or a pipe as text, while it is spoken."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field
from rich.live import Live
from rich.text import Text

from linnet.cli.config_options import options_from
from linnet.cli.console import (
    EXIT_SOME_FAILED,
    ModelOption,
    messages,
    print_error,
    print_result,
    printable,
    results,
)
from linnet.cli.transcribe import TextOptions
from linnet.core.errors import ConfigError
from linnet.core.results import SpeechSegment, Transcript
from linnet.runtime.search_config import SearchConfig

if TYPE_CHECKING:
    from linnet.core.arrays import Samples
    from linnet.runtime.live import LiveReader, LiveText
    from linnet.runtime.recognizer import Recognizer

STDIN = "-"


class LiveFormat(StrEnum):
    """How texts are written."""

    TEXT = "text"
    JSON = "json"


class ListenOptions(TextOptions):
    """The options of what becomes of the sounds, and of when a text is final."""

    pause: float | None = Field(
        default=None,
        ge=0.2,
        le=10.0,
        description="Seconds of silence that make a text final; default: 0.8.",
    )


@options_from(ListenOptions, "text")
def listen(
    source: Annotated[
        str | None, typer.Argument(metavar="[-]", help="- is standard input; default: the microphone.")
    ] = None,
    model: ModelOption = None,
    form: Annotated[
        LiveFormat, typer.Option("--format", "-f", help="json has partial texts too, with times of words.")
    ] = LiveFormat.TEXT,
    rate: Annotated[
        int, typer.Option(min=1000, max=768_000, help="Samples a second of standard input without a header.")
    ] = 16_000,
    device: Annotated[
        str | None, typer.Option("--device", help="Microphone, by its number or a part of its name.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads for the network.")] = 1,
    *,
    text: ListenOptions,
) -> None:
    """Write speech as text while it is spoken.

    A pause makes a text final; it gives a line. On a terminal the text under
    way stands below. With --format json each line is an object, and partial
    texts have lines too: "final" tells them apart.

    Standard input is WAV, or 16-bit little-endian mono samples without a header
    (--rate). The microphone needs the extra `mic`, and is closed by Ctrl-C.
    """
    from linnet.cli.imported import runnable_model
    from linnet.runtime.live import LiveConfig, LiveReader
    from linnet.runtime.packaged import DEFAULT_MODEL
    from linnet.runtime.recognizer import Recognizer

    if source not in (None, STDIN):
        raise ConfigError(f"cannot listen to {source!r}", remedy="A file is read by linnet transcribe")
    search = SearchConfig.model_validate(text.model_dump(exclude={"numbers", "pause"}))
    recognizer = Recognizer.load(
        runnable_model(model) if model else DEFAULT_MODEL,
        num_threads=threads,
        search=search,
    )
    recognizer.check_numbers(text.numbers)
    config = LiveConfig() if text.pause is None else LiveConfig(pause_s=text.pause)
    screen = _Screen(form, numbers=text.numbers)
    reader = LiveReader(recognizer, config)
    with _opened(source, device, rate, recognizer.sample_rate_hz) as sound:
        screen.show(reader, sound.blocks)
    _tell_hotwords(recognizer, reader, screen.texts)
    if sound.damage:
        print_error(f"the stream broke off: {sound.damage}")
        raise typer.Exit(EXIT_SOME_FAILED)


@dataclass(slots=True)
class _Sound:
    blocks: "Iterator[Samples]"
    damage: str = ""


@contextmanager
def _opened(source: str | None, device: str | None, rate_hz: int, wanted_hz: int) -> Iterator[_Sound]:
    if source is None:
        from linnet.audio.microphone import open_microphone

        with open_microphone(device, wanted_hz) as blocks:
            messages.print("listening; Ctrl-C ends")
            yield _Sound(blocks)
        return
    from linnet.audio.pipe import PcmFormat, open_live
    from linnet.audio.read import decoded_samples

    if sys.stdin.isatty():
        raise ConfigError(
            "standard input is a keyboard",
            remedy="Pipe sound into it: arecord -f S16_LE -r 16000 | linnet listen -",
        )
    decoder = open_live(sys.stdin.buffer, PcmFormat(sample_rate_hz=rate_hz), "stdin")
    sound = _Sound(decoded_samples(decoder, wanted_hz, "stdin"))
    yield sound
    sound.damage = decoder.damage


@dataclass(slots=True)
class _Screen:
    """Where texts are written, and the final ones so far."""

    form: LiveFormat
    numbers: bool
    texts: list[str] = field(default_factory=list)

    def show(self, reader: "LiveReader", blocks: "Iterator[Samples]") -> None:
        """Write what is heard until the sound ends or Ctrl-C is pressed."""
        on_terminal = self.form is LiveFormat.TEXT and results.is_terminal
        with Live(console=results, auto_refresh=False, transient=True) as live:
            line = live if on_terminal else None
            try:
                for samples in blocks:
                    for each in reader.feed(samples):
                        self._write(each, line)
            except KeyboardInterrupt:  # how listening ends
                pass
            for each in reader.finish():
                self._write(each, line)

    def _write(self, heard: "LiveText", line: Live | None) -> None:
        if self.numbers:
            from linnet.decoding.words import merge_numbers

            heard = replace(heard, segment=SpeechSegment.of(merge_numbers(heard.segment.words)))
        if heard.final:
            self.texts.append(heard.segment.text)
        if self.form is LiveFormat.JSON:
            print_result(json.dumps(heard.to_dict(), ensure_ascii=False))
        elif line:
            line.update(Text("" if heard.final else heard.segment.text, style="dim"), refresh=True)
            if heard.final:
                line.console.print(heard.segment.text, markup=False, soft_wrap=True)
        elif heard.final:
            print_result(heard.segment.text)


def _tell_hotwords(recognizer: "Recognizer", reader: "LiveReader", texts: list[str]) -> None:
    """Say of each phrase what became of it, so that none fails in silence."""
    if recognizer.search:
        heard = Transcript(text=" ".join(texts), words=(), duration_s=reader.heard_s, model=recognizer.name)
        for each in recognizer.search.complete(heard, reader.readings).hotwords:
            messages.print(
                f"hotword {printable(each.phrase)!r}: {each.outcome}", markup=False, soft_wrap=True
            )
