"""The corpora and formats that can be prepared: titles, layouts, licenses; light, for --help."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is told of a corpus before any file is opened.

    Attributes:
        name: the subcommand of `linnet prepare`.
        title: what it is, in half a line.
        layout: what directory to give; shown as the remedy when nothing is found.
        license: under which terms it comes; "" for a format, whose recordings are the user's own.
        language: of the texts ("" where each utterance tells, or nobody does).
        parts: the manifests it always gives; () where they depend on what is there.
        speaker_prefix: put before its names of speakers, so that corpora can be mixed.
        download: whether lhotse can fetch it.
    """

    name: str
    title: str
    layout: str
    license: str = ""
    language: str = ""
    parts: tuple[str, ...] = ()
    speaker_prefix: str = ""
    download: bool = False

    @property
    def license_note(self) -> str:
        """One line about the terms."""
        return f"License: {self.license}" if self.license else "The license is that of your recordings."


_LDC = "of the Linguistic Data Consortium, for its licensees only (https://www.ldc.upenn.edu)"

_FORMATS = (
    Corpus(
        "folder",
        "Your own recordings: a.txt beside a.wav, or a table with the columns path and text",
        "Put a.txt beside a.wav, or give a table with the columns path and text",
        parts=("manifest",),
    ),
    Corpus(
        "nemo",
        "NeMo manifests, plain or with tarred audio: checked, unpacked, rewritten",
        "Give a manifest (.json, .jsonl, with .gz or .zst) or a directory of manifests; tarred audio "
        "lies beside them as audio_0.tar, audio_1.tar and so on",
    ),
    Corpus(
        "kaldi",
        "Kaldi data directories: wav.scp and text, with segments and utt2spk where there are",
        "Give a directory with wav.scp and text, or one that holds several such directories",
    ),
    Corpus(
        "lhotse",
        "lhotse cuts (.jsonl or .jsonl.gz) of recordings on this disk",
        "Give a file of cuts or a directory of such files; their recordings must be files",
    ),
)

_CORPORA = (
    Corpus(
        "audiomnist",
        "AudioMNIST: English digits of 60 speakers",
        "Give the repository AudioMNIST, which holds data/audioMNIST_meta.txt",
        license="MIT (https://github.com/soerenab/AudioMNIST)",
        language="en",
        speaker_prefix="audiomnist_",
        download=True,
    ),
    Corpus(
        "commonvoice",
        "Mozilla Common Voice, one language or several",
        "Give the directory of a release or of one language, which holds clips/ and train.tsv",
        license="CC0 1.0; it is forbidden to identify speakers (https://commonvoice.mozilla.org)",
        speaker_prefix="commonvoice_",
    ),
    Corpus(
        "fsdd",
        "Free Spoken Digit Dataset, in its official split",
        "Give the directory of the corpus, which holds recordings/0_george_0.wav and so on",
        license="CC BY-SA 4.0 (https://github.com/Jakobovski/free-spoken-digit-dataset)",
        language="en",
        parts=("train", "test"),
        speaker_prefix="fsdd_",
    ),
    Corpus(
        "golos",
        "Golos: Russian commands, near and far",
        "Unpack the archives into one directory and give it; it holds train/manifest.jsonl and "
        "test/crowd/manifest.jsonl",
        license="Sber's public license, commercial use allowed, see license/en_us.pdf in "
        "https://github.com/salute-developers/golos",
        language="ru",
    ),
    Corpus(
        "hub5",
        "Hub5'00: English telephone calls for evaluation (LDC2002S09, LDC2002T43)",
        "Give a directory that holds both: the calls (en_4156.sph and so on) and hub5e00.english.000405.stm",
        license=_LDC,
        language="en",
        speaker_prefix="hub5_",
    ),
    Corpus(
        "librispeech",
        "LibriSpeech: read English, 960 hours and four held-out parts",
        "Give the directory LibriSpeech, which holds train-clean-100 and so on",
        license="CC BY 4.0 (https://www.openslr.org/12)",
        language="en",
        speaker_prefix="librispeech_",
        download=True,
    ),
    Corpus(
        "ljspeech",
        "LJ Speech: one American woman reading non-fiction",
        "Give the directory LJSpeech-1.1, which holds metadata.csv and wavs/",
        license="public domain (https://keithito.com/LJ-Speech-Dataset)",
        language="en",
        download=True,
    ),
    Corpus(
        "mini-librispeech",
        "Mini LibriSpeech: five hours for training, two for measuring",
        "Give the directory LibriSpeech, which holds train-clean-5 and dev-clean-2",
        license="CC BY 4.0 (https://www.openslr.org/31)",
        language="en",
        speaker_prefix="librispeech_",
        download=True,
    ),
    Corpus(
        "speechocean762",
        "speechocean762: English sentences by Mandarin speakers, half of them children",
        "Give the directory speechocean762, which holds WAVE/, train/wav.scp and test/wav.scp",
        license="free for commercial and other use (https://www.openslr.org/101)",
        language="en",
        parts=("train", "test"),
        speaker_prefix="so_",
    ),
    Corpus(
        "tedlium",
        "TED-LIUM 3: talks, with the development and test parts of the legacy split",
        "Give the directory TEDLIUM_release-3, which holds legacy/train/stm and legacy/train/sph",
        license="CC BY-NC-ND 3.0, not for commercial use (https://www.openslr.org/51)",
        language="en",
        parts=("train", "dev", "test"),
        speaker_prefix="tedlium_",
        download=True,
    ),
    Corpus(
        "timit",
        "TIMIT as 39 phones, for phone error rates (LDC93S1)",
        "Give the directory that holds TRAIN/DR1/FCJF0/SA1.WAV with its .PHN and so on",
        license=_LDC,
        language="en",
        parts=("train", "dev", "test"),
        speaker_prefix="timit_",
    ),
    Corpus(
        "timit-words",
        "TIMIT as words (LDC93S1)",
        "Give the directory that holds TRAIN/DR1/FCJF0/SA1.WAV with its .WRD and so on",
        license=_LDC,
        language="en",
        parts=("train", "dev", "test"),
        speaker_prefix="timit_",
    ),
    Corpus(
        "voxforge",
        "VoxForge: sentences that volunteers recorded, any language",
        "Give the directory of the unpacked archives, such as anna-20080428-abc/ with etc/PROMPTS and wav/",
        license="GPL 3 (http://www.voxforge.org)",
        speaker_prefix="voxforge_",
    ),
    Corpus(
        "wsj",
        "Wall Street Journal: read news (LDC93S6, LDC94S13)",
        "Give a directory that holds the discs: recordings (.wv1, or .wav or .flac made of them), .dot "
        "transcripts and .ndx lists",
        license=_LDC,
        language="en",
        speaker_prefix="wsj_",
    ),
)

FORMATS = {corpus.name: corpus for corpus in _FORMATS}
CORPORA = {corpus.name: corpus for corpus in _CORPORA}
