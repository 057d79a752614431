"""What every test may use and must obey: synthesized sound, paths of the checkout, no network, no clock."""

import io
import os
import signal
import socket
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import numpy as np
import pytest
import yaml
from hypothesis import settings
from numpy.typing import NDArray
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

Samples = NDArray[np.float32]
ToneMaker = Callable[..., Samples]
SpeechMaker = Callable[..., Samples]
NemoWriter = Callable[..., Path]

# Same examples in every run; no deadline, because no test may depend on the speed of the machine.
settings.register_profile("linnet", derandomize=True, deadline=None)
settings.load_profile("linnet")


# What costs seconds to make is made by one process, which gets all files that need it; others go one by one.
TOGETHER = {
    "a compiled search": (
        "cli/test_align.py",
        "cli/test_listen.py",
        "cli/test_lm_attach.py",
        "decoding/test_alignment.py",
        "decoding/test_beam.py",
        "decoding/test_language_model.py",
        "evaluation/test_tuning.py",
        "lm/test_scoring.py",
        "runtime/test_aligner.py",
        "runtime/test_live.py",
        "runtime/test_longform.py",
        "runtime/test_search.py",
    ),
    "a trained model and the exporter": (
        "cli/test_export.py",
        "cli/test_import_.py",
        "cli/test_train.py",
        "export/test_onnx.py",
        "export/test_proof.py",
        "export/test_quantization.py",
        "export/test_ranges.py",
        "export/test_recurrent.py",
        "export/test_run.py",
        "export/test_tokenizers.py",
        "models/test_recognizer.py",
        "parity/test_nemo.py",
        "training/test_finetuning.py",
        "training/test_run.py",
    ),
    "an S3 server": (
        "audio/test_archive.py",
        "audio/test_read.py",
        "cli/test_remote_manifests.py",
        "core/test_remote.py",
        "data/test_cache.py",
        "data/test_remote_audio.py",
        "manifest/test_jsonl.py",
        "manifest/test_shards.py",
    ),
}
# They take long and so begin first, after the above: no process shall be left with one while others are done.
LONG = (
    "training/test_resume.py",
    "training/test_batch_limit.py",
    "models/test_catalog.py",
    "parity/test_transformers.py",
    "corpora/test_synthetic_speech.py",
)
_SHARE_OF = {f"tests/{file}": share for share, files in TOGETHER.items() for file in files}
_PLACE_OF = {share: place for place, share in enumerate([*TOGETHER, *(f"tests/{file}" for file in LONG)])}


class Distribution(LoadFileScheduling):
    """Gives a process a file at a time, or all files of a share."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


def share_of(nodeid: str) -> str:
    """Name what a test is given to a process with: its file, or what that shares with others."""
    file = nodeid.partition("::")[0]
    return _SHARE_OF.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Distribution:
    return Distribution(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first; --no-loadscope-reorder lets the processes begin in this order."""
    items.sort(key=lambda item: _PLACE_OF.get(share_of(item.nodeid), len(_PLACE_OF)))


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes that share the tests compute on one core each, and Ctrl-C be heard.

    A shell that starts the tests in the background has them ignore Ctrl-C, which some of them press.
    """
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _offline() -> Iterator[None]:
    """Refuse connections to other machines: the suite must pass without a network."""
    connect = socket.socket.connect

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to reach {address[0]}: tests run offline")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_locally)
        yield


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_fixtures(repo_root: Path) -> Path:
    """The folder of reference vectors beside the checkout; tests that need it are skipped without it."""
    path = repo_root.parent / "shared" / "fixtures"
    if not path.is_dir():
        pytest.skip("the reference vectors (../shared/fixtures) are not beside this checkout")
    return path


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """An S3 server on this machine, with the bucket "bucket"; `endpoint` is its web address."""

    endpoint: str

    def put(self, key: str, content: bytes) -> str:
        """Store an object and give its URL."""
        self._send(f"bucket/{quote(key)}", content)
        return f"s3://bucket/{key}"

    def _send(self, path: str, content: bytes = b"") -> None:
        # The server believes any signature; without one it lets nobody replace an object.
        signature = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"
        headers = {"Content-Type": "application/octet-stream", "Authorization": signature}
        request = Request(f"{self.endpoint}/{path}", content, headers, method="PUT")
        urlopen(request, timeout=60).close()


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[ObjectStore]:
    pytest.importorskip("s3fs", reason="reading from S3 needs the extra remote")
    moto = pytest.importorskip("moto.server", reason="the S3 server of the tests comes with the extra dev")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    store = ObjectStore("http://127.0.0.1:{1}".format(*server.get_host_and_port()))
    store._send("bucket")
    yield store
    server.stop()


@pytest.fixture
def s3_store(
    _s3_server: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ObjectStore]:
    """The S3 server that this process has credentials for; `s3_store.put("a.wav", content)` → its URL."""
    from s3fs import S3FileSystem

    nowhere = str(tmp_path / "no-aws-settings")
    settings = {
        "AWS_ENDPOINT_URL": _s3_server.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    yield _s3_server
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def write_nemo(tmp_path: Path) -> NemoWriter:
    """`write_nemo(config, weights, artifacts={}, mode="w")` → the path of a .nemo file."""
    import torch

    def write(
        config: Any, weights: Any, artifacts: Mapping[str, bytes] | None = None, mode: str = "w"
    ) -> Path:
        content = io.BytesIO(weights if isinstance(weights, bytes) else b"")
        if not isinstance(weights, bytes):
            torch.save(weights, content)
        text = config if isinstance(config, bytes) else yaml.safe_dump(config, sort_keys=False).encode()
        files = {"model_config.yaml": text, "model_weights.ckpt": content.getvalue(), **(artifacts or {})}
        path = tmp_path / "model.nemo"
        with tarfile.open(path, mode) as tar:
            for name, each in files.items():
                info = tarfile.TarInfo(f"./{name}")
                info.size = len(each)
                tar.addfile(info, io.BytesIO(each))
        return path

    return write


@pytest.fixture
def tiny_nemo() -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration and the weights of a CTC model of NeMo with one convolution and three letters."""
    import torch

    block = {"filters": 4, "repeat": 1, "kernel": [3], "stride": [2], "dilation": [1], "dropout": 0.0}
    config = {
        "target": "nemo.collections.asr.models.ctc_models.EncDecCTCModel",
        "nemo_version": "1.23.0",
        "preprocessor": {
            "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
            "features": 8,
        },
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConvASREncoder",
            "feat_in": 8,
            "activation": "relu",
            "jasper": [block | {"residual": False}],
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.ConvASRDecoder",
            "feat_in": 4,
            "num_classes": 3,
            "vocabulary": [" ", "a", "b"],
        },
    }
    norm = {"weight": 1.0, "bias": 0.5, "running_mean": 0.25, "running_var": 2.0}
    weights = {
        "encoder.encoder.0.mconv.0.conv.weight": torch.linspace(-1, 1, 4 * 8 * 3).reshape(4, 8, 3),
        **{f"encoder.encoder.0.mconv.1.{key}": torch.full((4,), value) for key, value in norm.items()},
        "encoder.encoder.0.mconv.1.num_batches_tracked": torch.tensor(1),
        "decoder.decoder_layers.0.weight": torch.linspace(-1, 1, 4 * 4).reshape(4, 4, 1),
        "decoder.decoder_layers.0.bias": torch.zeros(4),
    }
    return config, weights


@pytest.fixture(scope="session")
def tone() -> ToneMaker:
    """`tone(frequency_hz=440, duration_s=1, sample_rate_hz=16000, level=0.5)` → a sine, (N,) float32."""
    return _tone


@pytest.fixture(scope="session")
def speech_like() -> SpeechMaker:
    """`speech_like(duration_s=2, sample_rate_hz=16000, seed=0, level=0.5)` → syllables, (N,) float32."""
    return _speech_like


def _tone(
    frequency_hz: float = 440.0, duration_s: float = 1.0, sample_rate_hz: int = 16000, level: float = 0.5
) -> Samples:
    times_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def _speech_like(
    duration_s: float = 2.0, sample_rate_hz: int = 16000, seed: int = 0, level: float = 0.5
) -> Samples:
    """Harmonics of a wandering pitch under two moving formants, in quarter-second syllables, over noise."""
    generator = np.random.default_rng(seed)
    times_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    pitch_hz = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * times_s + generator.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    first_hz, second_hz = (
        center * (1 + 0.3 * np.sin(2 * np.pi * rate * times_s + generator.uniform(0, 6)))
        for center, rate in ((600, 2.1), (1700, 2.9))
    )
    voiced = np.zeros_like(times_s)
    for harmonic in range(1, 25):
        frequency_hz = harmonic * pitch_hz
        heard = np.exp(-(((frequency_hz - first_hz) / 200) ** 2)) + 0.5 * np.exp(
            -(((frequency_hz - second_hz) / 300) ** 2)
        )
        voiced += (heard + 0.02) * np.sin(harmonic * phase) * (frequency_hz < 0.45 * sample_rate_hz)
    syllables = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, None) ** 0.5
    sound = voiced * syllables + 0.003 * generator.standard_normal(times_s.size)
    peak = np.max(np.abs(sound), initial=1e-9)
    return (level * sound / peak).astype(np.float32)


WordSpeaker = Callable[..., Samples]

TONES_HZ = {"one": 300.0, "two": 3000.0}
_TONE_BANDS = {"one": slice(3, 8), "two": slice(41, 47)}  # the mel bands around each tone


@pytest.fixture(scope="session")
def say_tones() -> WordSpeaker:
    """`say_tones("one two", gap_s=0.3, sample_rate_hz=16000)` → (N,) float32 that the tone model reads.

    Every word lasts 0.2 s; a gap stands before each and after the last.
    """
    return _say_tones


@pytest.fixture(scope="session")
def tone_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a bundle that hears 300 Hz as "one" and 3000 Hz as "two", and nothing else."""
    onnx = pytest.importorskip("onnx", reason="the tone model is built with onnx, from the extra train")
    from linnet.bundle.schema import BundleSpec
    from linnet.bundle.writer import write_bundle
    from linnet.features.config import FrontendConfig
    from linnet.text.vocabulary import Vocabulary

    folder = tmp_path_factory.mktemp("tone")
    frontend = FrontendConfig(normalize="none")
    vocabulary = Vocabulary(tuple(f"▁{word}" for word in TONES_HZ))
    onnx.save(_tone_model(onnx, frontend.num_features), folder / "tone.onnx")
    spec = BundleSpec(
        name="tone",
        language="en",
        license="Apache-2.0",
        sample_rate_hz=frontend.sample_rate_hz,
        frontend=frontend,
        normalizer="basic",
        vocabulary="word",
        subsampling=2,
        blank_id=vocabulary.blank_id,
        opset=18,
        parameters=0,
        created_with="0.1.0",
    )
    write_bundle(folder / "bundle", spec, folder / "tone.onnx", vocabulary, "# tone\n")
    return folder / "bundle"


def _say_tones(words: str, gap_s: float = 0.3, sample_rate_hz: int = 16000) -> Samples:
    gap = np.zeros(round(gap_s * sample_rate_hz), np.float32)
    tones = [_tone(TONES_HZ[word], 0.2, sample_rate_hz) for word in words.split()]
    return np.concatenate([part for tone in tones for part in (gap, tone)] + [gap])


def _tone_model(onnx: Any, num_features: int) -> Any:
    """Score each word by the mean log energy of its bands, and the blank by a constant between."""
    weight = np.zeros((len(_TONE_BANDS) + 1, num_features, 1), np.float32)
    for row, bands in zip(weight, _TONE_BANDS.values(), strict=False):
        row[bands] = 1 / (bands.stop - bands.start)
    constants = {
        "weight": weight,
        "bias": np.array([0, 0, -9], np.float32),
        "one": np.array(1),
        "two": np.array(2),
    }
    nodes = [
        onnx.helper.make_node("Conv", ["audio_signal", "weight", "bias"], ["scores"], strides=[2]),
        onnx.helper.make_node("Transpose", ["scores"], ["by_frame"], perm=[0, 2, 1]),
        onnx.helper.make_node("LogSoftmax", ["by_frame"], ["logprobs"], axis=-1),
        onnx.helper.make_node("Add", ["length", "one"], ["rounded_up"]),
        onnx.helper.make_node("Div", ["rounded_up", "two"], ["logprobs_length"]),
    ]
    declare, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    graph = onnx.helper.make_graph(
        nodes,
        "tone",
        [
            declare("audio_signal", kinds.FLOAT, ["B", num_features, "T"]),
            declare("length", kinds.INT64, ["B"]),
        ],
        [declare("logprobs", kinds.FLOAT, ["B", "S", 3]), declare("logprobs_length", kinds.INT64, ["B"])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)


TONE_RUN_YAML = """\
output_dir: ${config_dir}/run
model:
  name: tones
  frontend: {num_mels: 16, dither: 0.0}
  encoder:
    blocks:
      - {filters: 16, kernel: 5, stride: 2, residual: false}
      - {filters: 16, kernel: 15, repeat: 2}
      - {filters: 16, kernel: 5, dilation: 2, residual: false}
      - {filters: 16, kernel: 1, separable: false, residual: false}
  tokenizer: {kind: word, pieces: [one, two]}
data:
  batch_s: 100.0  # two buckets give two batches an epoch
  num_buckets: 2
  num_workers: 0
  train: [{manifest: "${config_dir}/train.jsonl"}]
  dev: [{manifest: "${config_dir}/dev.jsonl"}]
optimizer: {name: adamw, lr: 0.02, betas: [0.9, 0.98]}
schedule: {warmup_steps: 2}
trainer:
  {max_steps: 60, validate_every_steps: 15, log_every_steps: 5, average_last: 2, keep_best: 2,
   accelerator: cpu}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneRun:
    """A finished command, whose files tests read and never change: its directory and what it printed."""

    output_dir: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def tone_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.jsonl (24 utterances of tones), dev.jsonl (8) and config.yaml to train on them."""
    from linnet.audio.write import write_audio
    from linnet.manifest.jsonl import write_manifest
    from linnet.manifest.utterance import Utterance

    folder = tmp_path_factory.mktemp("tones")
    generator = np.random.default_rng(0)
    for name, count in (("train", 24), ("dev", 8)):
        utterances = []
        for number in range(count):
            text = " ".join(generator.permutation(list(TONES_HZ))[: 1 + number % 2])
            samples = _say_tones(text, gap_s=float(generator.uniform(0.08, 0.15)))
            noise = 0.003 * generator.standard_normal(len(samples), dtype=np.float32)
            path = folder / f"{name}-{number}.wav"
            write_audio(path, samples + noise)
            utterances.append(Utterance(audio=str(path), duration_s=len(samples) / 16000, text=text))
        write_manifest(folder / f"{name}.jsonl", utterances)
    (folder / "config.yaml").write_text(TONE_RUN_YAML, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tone_run(tone_corpus: Path) -> ToneRun:
    """`linnet train` on the tone corpus, to its end."""
    for module in ("torch", "lightning", "lhotse"):
        pytest.importorskip(module, reason="training needs the extra train")
    return _run_command(tone_corpus / "run", "train", str(tone_corpus / "config.yaml"))


@pytest.fixture(scope="session")
def tone_export(tone_run: ToneRun, tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> ToneRun:
    """`linnet export` of the trained tone model, compared on the dev recordings."""
    pytest.importorskip("onnxscript", reason="exporting needs the extra train")
    bundle = tmp_path_factory.mktemp("export") / "tones"
    dev = str(tone_corpus / "dev.jsonl")
    return _run_command(
        bundle, "export", str(tone_run.output_dir / "final.ckpt"), str(bundle), "--manifest", dev
    )


def _run_command(output_dir: Path, *arguments: str) -> ToneRun:
    from typer.testing import CliRunner

    from linnet.cli.main import app

    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return ToneRun(output_dir=output_dir, stdout=result.stdout, stderr=result.stderr)
