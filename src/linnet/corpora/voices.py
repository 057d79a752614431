"""Speech synthesizers installed on the machine (espeak-ng, flite, festival), driven as child processes.

Every engine draws voices (who speaks, how fast, how high) from a seeded generator and reads texts with them.
Texts are lower-case words, which may have apostrophes, and the pauses "," and "."; anything else is
refused before a process sees it.
"""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import soundfile

from linnet.audio.resample import resample
from linnet.core.arrays import Samples
from linnet.core.errors import TextError
from linnet.corpora.clip_shaping import SAMPLE_RATE_HZ
from linnet.corpora.number_text import DIGIT_WORDS

TIMEOUT_S = 120.0
SPEAKABLE = re.compile(r"[a-z']+(?:[,.]? [a-z']+)*[,.]?")

ESPEAK_ACCENTS = (
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
)
ESPEAK_VARIANTS = (
    *("m1", "m2", "m3", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f5"),
    *("klatt", "klatt2", "klatt3", "klatt5", "klatt6", "adam", "Alex", "Alicia", "Andrea", "Andy"),
    *("antonio", "aunty", "belinda", "boris", "caleb", "david", "Denis", "Diogo", "ed", "edward", "Gene"),
    *("grandma", "grandpa", "gustave", "Henrique", "Hugo", "iven", "iven2", "Jacky", "kaukovalta", "Lee"),
    *("linda", "Marcelo", "Marco", "Mario", "Max", "michael", "michel", "Mike", "Nguyen", "norbert"),
    *("pablo", "paul", "pedro", "rob", "robert", "sandro", "shelby", "steph", "steph2", "travis", "victor"),
)
ESPEAK_DEV_VARIANTS = ("m4", "f4", "klatt4", "Annie", "benjamin", "miguel", "quincy", "steph3", "zac")

# English number words as speakers of other languages say them, spelled for those languages' voices.
ACCENT_WORDS = (*DIGIT_WORDS[1:], "zero", "oh", "double", "triple")
ACCENT_SPELLINGS = {
    "de": "wann tuh srie for feif six sewwen äit nein siero oh dabbel trippel",
    "es": "uan tu srí for faif six seven eit nain siro ou dábol trípol",
    "fr-fr": "ouane tou sri fôr faïve sixe sévène éïte naïne ziro ô dabeul tripeul",
    "hi": "वन टू थ्री फोर फाइव सिक्स सेवन एट नाइन ज़ीरो ओ डबल ट्रिपल",
    "it": "uan tu tri for faiv six seven eit nain siro ou dabol tripol",
    "ko": "원 투 쓰리 포 파이브 식스 세븐 에잇 나인 제로 오 더블 트리플",
    "pl": "łan tu sri for fajw siks sewen ejt najn ziro oł dabyl tripyl",
    "pt-br": "uan tu trí for faive síquis séven eite naine zirou ôu dâbou trípou",
    "ru": "уан ту сри фор файв сикс сэвен эйт найн зиро оу дабл трипл",
    "ta": "ஒன் டூ த்ரீ ஃபோர் ஃபைவ் சிக்ஸ் செவன் எய்ட் நைன் ஜீரோ ஓ டபுள் டிரிபிள்",
    "te": "వన్ టూ త్రీ ఫోర్ ఫైవ్ సిక్స్ సెవెన్ ఎయిట్ నైన్ జీరో ఓ డబుల్ ట్రిపుల్",
    "tr": "uan tu tri for fayv siks sevın eyt nayn ziro o dabıl tripıl",
}

FLITE_VOICES = {"slt": 30, "rms": 30, "awb": 25, "kal16": 12, "kal": 3}  # name → weight
FESTIVAL_VOICES = {"cmu_us_slt_arctic_hts": 50, "kal_diphone": 25, "ked_diphone": 25}

FESTIVAL_PRELUDE = """
(define (read_aloud text file)
  (let ((spoken (eval (list 'Utterance 'Text text))))
    (utt.synth spoken)
    (utt.save.wave spoken file 'riff)))
(define (set_pitch mean_hz)
  (set! int_lr_params
    (list (list 'target_f0_mean mean_hz) '(target_f0_std 14) '(model_f0_mean 170) '(model_f0_std 34))))
(define (set_hts_rate rate)
  (set! hts_engine_params (append cmu_us_slt_arctic_hts::hts_engine_params (list (list "-r" rate)))))
"""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks and how.

    Attributes:
        engine: name of the engine.
        name: the engine's name of the voice.
        rate: speaking rate, 1 is the voice's own.
        pitch_hz: mean fundamental frequency, where the voice lets it be set.
        word_gap_ms: extra silence between words, where the engine can.
        playback: speed at which the wave is played: above 1 makes a shorter vocal tract, below 1 a longer.
    """

    engine: str
    name: str
    rate: float
    pitch_hz: float
    word_gap_ms: int
    playback: float

    @property
    def speaker(self) -> str:
        """The speaker's name in a manifest."""
        return f"{self.engine}_{self.name}"


@dataclass(frozen=True, slots=True)
class Line:
    """One text with the voice that reads it."""

    voice: Voice
    text: str


class Engine(Protocol):
    """A synthesizer."""

    name: str

    def draw_voice(self, rng: random.Random, *, dev: bool = False) -> Voice:
        """Draw a voice; those for the dev part never speak in the training part."""

    def speak(self, lines: Sequence[Line]) -> list[Samples | None]:
        """Read each line at 16 kHz; None where the engine failed.

        Raises:
            TextError: when a text has more than lower-case words and the pauses "," and ".".
        """


class EspeakEngine:
    """espeak-ng: formant synthesis, many accents and voice variants, foreign accents of English digits."""

    name = "espeak-ng"

    def draw_voice(self, rng: random.Random, *, dev: bool = False) -> Voice:
        """Draw an accent, a variant and a manner."""
        accents = ESPEAK_ACCENTS if rng.random() < 0.7 else tuple(ACCENT_SPELLINGS)
        variant = rng.choice(ESPEAK_DEV_VARIANTS if dev else ESPEAK_VARIANTS)
        return Voice(
            engine=self.name,
            name=f"{rng.choice(accents)}+{variant}",
            rate=rng.uniform(0.65, 1.45),
            pitch_hz=rng.uniform(75, 230),
            word_gap_ms=rng.choice((0, 0, 0, 30, 80, 150)),
            playback=rng.uniform(0.92, 1.1),
        )

    def speak(self, lines: Sequence[Line]) -> list[Samples | None]:
        """Read each line in its own process."""
        return [_speak_alone(line, self._command) for line in lines]

    def _command(self, line: Line, wave: Path) -> list[str]:
        accent = line.voice.name.split("+")[0]
        text = line.text
        if accent in ACCENT_SPELLINGS:
            spelling = dict(zip(ACCENT_WORDS, ACCENT_SPELLINGS[accent].split(), strict=True))
            text = re.sub("[a-z]+", lambda word: spelling[word[0]], text)
        pitch = round((line.voice.pitch_hz - 75) / 155 * 60) + 20  # its scale of 0 to 99, used from 20 to 80
        manner = [
            "-s",
            f"{175 * line.voice.rate:.0f}",
            "-p",
            str(pitch),
            "-g",
            str(line.voice.word_gap_ms // 10),
        ]
        return ["espeak-ng", "-v", line.voice.name, *manner, "-w", str(wave), "--", text]


class FliteEngine:
    """flite: statistical-parametric voices trained on real speakers, and one diphone voice."""

    name = "flite"

    def draw_voice(self, rng: random.Random, *, dev: bool = False) -> Voice:
        """Draw one of the five voices and a manner."""
        assert not dev, "flite has too few voices to keep one back"
        return _draw_natural(self.name, FLITE_VOICES, rng)

    def speak(self, lines: Sequence[Line]) -> list[Samples | None]:
        """Read each line in its own process."""
        return [_speak_alone(line, self._command) for line in lines]

    def _command(self, line: Line, wave: Path) -> list[str]:
        stretch = ["--setf", f"duration_stretch={1 / line.voice.rate:.3f}"]
        pitch = ["--setf", f"int_f0_target_mean={line.voice.pitch_hz:.0f}"]
        return ["flite", "-voice", line.voice.name, *stretch, *pitch, "-t", line.text, "-o", str(wave)]


class FestivalEngine:
    """festival: diphone voices and an HMM voice; one process reads many lines, as its start is slow."""

    name = "festival"

    def draw_voice(self, rng: random.Random, *, dev: bool = False) -> Voice:
        """Draw one of the three voices and a manner."""
        assert not dev, "festival has too few voices to keep one back"
        return _draw_natural(self.name, FESTIVAL_VOICES, rng)

    def speak(self, lines: Sequence[Line]) -> list[Samples | None]:
        """Read all lines through one process."""
        with tempfile.TemporaryDirectory() as folder:
            names = [f"{number}.wav" for number in range(len(lines))]
            commands = [self._expressions(line, name) for line, name in zip(lines, names, strict=True)]
            script = Path(folder) / "script.scm"
            script.write_text(FESTIVAL_PRELUDE + "\n".join(commands), encoding="ascii")
            _run(["festival", "-b", script.name], folder=folder)
            return [
                _read_wave(Path(folder) / name, line.voice) for name, line in zip(names, lines, strict=True)
            ]

    def _expressions(self, line: Line, wave: str) -> str:
        voice, stretch = line.voice, 1 / line.voice.rate
        if voice.name.endswith("_hts"):
            manner = f"(set_hts_rate {voice.rate:.3f})"
        else:
            manner = f"(Parameter.set 'Duration_Stretch {stretch:.3f}) (set_pitch {voice.pitch_hz:.0f})"
        return f'(voice_{voice.name}) {manner} (read_aloud "{_speakable(line.text)}" "{wave}")'


def installed_engines() -> tuple[list[Engine], list[str]]:
    """The engines whose program is on the PATH, and the names of those that are missing."""
    engines: list[Engine] = [EspeakEngine(), FliteEngine(), FestivalEngine()]
    found = [engine for engine in engines if shutil.which(engine.name)]
    return found, [engine.name for engine in engines if engine not in found]


def can_say(voice: Voice, words: Sequence[str]) -> bool:
    """Whether the voice knows all words: foreign voices know digits only."""
    accent = voice.name.split("+")[0]
    return accent not in ACCENT_SPELLINGS or set(words) <= set(ACCENT_WORDS)


def _draw_natural(engine: str, weights: dict[str, int], rng: random.Random) -> Voice:
    return Voice(
        engine=engine,
        name=rng.choices(list(weights), weights=list(weights.values()))[0],
        rate=rng.uniform(0.72, 1.35),
        pitch_hz=rng.uniform(85, 210),
        word_gap_ms=0,
        playback=rng.uniform(0.84, 1.2),  # few voices: the vocal tract length makes new ones
    )


class _Command(Protocol):
    def __call__(self, line: Line, wave: Path, /) -> list[str]: ...


def _speakable(text: str) -> str:
    if not SPEAKABLE.fullmatch(text):
        raise TextError(
            f"{text!r} cannot be spoken", remedy="Use lower-case words, apostrophes, spaces, ',' and '.' only"
        )
    return text


def _speak_alone(line: Line, command: _Command) -> Samples | None:
    _speakable(line.text)
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "line.wav"
        _run(command(line, wave))
        return _read_wave(wave, line.voice)


def _run(command: list[str], folder: str | None = None) -> None:
    # A failed line leaves no wave behind, which the caller sees; so neither status nor timeout is an error.
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return


def _read_wave(path: Path, voice: Voice) -> Samples | None:
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError:
        return None
    return resample(samples, round(rate_hz * voice.playback), SAMPLE_RATE_HZ)
