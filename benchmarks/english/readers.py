"""The recognizers that are compared: each reads samples, and keeps how long that took."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from linnet.core.arrays import Samples
from linnet.core.files import write_text
from linnet.runtime.recognizer import Recognizer

SAVED_EVERY = 10  # texts


@dataclass(frozen=True, slots=True)
class Read:
    """What a recognizer wrote, and the processor time it took."""

    text: str
    cpu_s: float


class Reader(Protocol):
    """What every recognizer offers here."""

    name: str
    settings: str

    def read(self, samples: Samples) -> Read:
        """Read (N,) samples at 16 kHz."""
        ...

    def close(self) -> None:
        """Keep what is worth it."""
        ...


class LinnetReader:
    """linnet on one thread, one recording at a time."""

    def __init__(self, name: str, recognizer: Recognizer) -> None:
        self.name = name
        self._recognizer = recognizer
        self.settings = recognizer.search.config.summary if recognizer.search else "greedy"
        rng = np.random.default_rng(0)
        self.read(rng.standard_normal(16_000, np.float32) * 0.1)  # compiles the search, warms the network

    def read(self, samples: Samples) -> Read:
        """Read (N,) samples at 16 kHz."""
        start_s = time.process_time()
        (transcript,) = self._recognizer.transcribe_samples([samples])
        return Read(transcript.text, time.process_time() - start_s)

    def close(self) -> None:
        """Nothing is kept."""


class PocketsphinxReader:
    """pocketsphinx with the model of its own wheel, as its defaults are; what it read is kept in a file.

    Its texts depend on nothing of linnet, and take long: with the file a later run reads only what is new.

    Args:
        cache: JSON of texts by the SHA-256 of the samples; None keeps nothing.
    """

    name = "pocketsphinx"

    def __init__(self, cache: Path | None) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=16_000, loglevel="FATAL")
        self._cache = cache
        self._known: dict[str, Any] = json.loads(cache.read_text()) if cache and cache.exists() else {}
        self._num_new = 0
        self.settings = "its own model, defaults"

    def read(self, samples: Samples) -> Read:
        """Read (N,) samples at 16 kHz."""
        pcm = (samples * 32768).astype("<i2").tobytes()
        digest = hashlib.sha256(pcm).hexdigest()
        if digest not in self._known:
            self._known[digest] = self._read(pcm)
            self._num_new += 1
            if self._num_new % SAVED_EVERY == 0:
                self.close()
        return Read(**self._known[digest])

    def _read(self, pcm: bytes) -> dict[str, Any]:
        start_s = time.process_time()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        return {"text": text, "cpu_s": round(time.process_time() - start_s, 4)}

    def close(self) -> None:
        """Write the file."""
        if self._cache:
            write_text(self._cache, json.dumps(self._known, indent=0) + "\n")
