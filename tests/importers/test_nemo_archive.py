"""A .nemo file is read by the names of its members; what no .nemo file holds is refused by name."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.importers import nemo_archive
from linnet.importers.nemo_archive import open_nemo

NemoWriter = Callable[..., Path]
CONFIG = {"target": "x.y", "tokenizer": {"model_path": f"nemo:{'0a' * 16}_tokenizer.model"}}
WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}
ARTIFACTS = {f"{'0a' * 16}_tokenizer.model": b"pieces"}


def saved(weights: Any, **options: Any) -> bytes:
    """The bytes that torch.save writes."""
    content = io.BytesIO()
    torch.save(weights, content, **options)
    return content.getvalue()


def member(name: str, content: bytes = b"", **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A member of a tar, of any kind."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def write_tar(folder: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    path = folder / "model.nemo"
    with tarfile.open(path, "w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


def read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    with open_nemo(path) as archive:
        return archive.config(), archive.weights()


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No test may leave a file: neither beside the archive nor among the temporary files."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    yield
    assert {path.name for path in tmp_path.rglob("*")} <= {"scratch", "model.nemo"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_config_weights_and_artifacts_by_name(write_nemo: NemoWriter, mode: str) -> None:
    with open_nemo(write_nemo(CONFIG, WEIGHTS, ARTIFACTS, mode)) as archive:
        assert archive.names == ("model_config.yaml", "model_weights.ckpt", *ARTIFACTS)
        assert archive.config() == CONFIG
        assert archive.artifact(CONFIG["tokenizer"]["model_path"]) == b"pieces"
        assert archive.artifact("/data/tok/tokenizer.model") == b"pieces"
        with pytest.raises(CheckpointError, match=r"'nemo:vocab.txt' is not in the archive"):
            archive.artifact("nemo:vocab.txt")
        weights = archive.weights()
    assert {key: value.tolist() for key, value in weights.items()} == {
        "a.weight": [[0, 1, 2], [3, 4, 5]],
        "steps": 7,
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("zipped", [True, False])
def test_weights_of_any_precision_and_age_come_as_float32(
    write_nemo: NemoWriter, dtype: torch.dtype, zipped: bool
) -> None:
    weights = saved({"a": torch.tensor([0.5, -2.0], dtype=dtype)}, _use_new_zipfile_serialization=zipped)
    _, found = read(write_nemo(CONFIG, weights))
    assert found["a"].dtype == torch.float32
    assert found["a"].tolist() == [0.5, -2.0]


def plain(*extra: tuple[tarfile.TarInfo, bytes]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [member("model_config.yaml", b"a: 1"), member("model_weights.ckpt", saved(WEIGHTS)), *extra]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (plain(member("../evil", b"x")), r"name leads out of it: '\.\./evil'"),
        (plain(member("a/../../evil", b"x")), "name leads out of it"),
        (plain(member("/etc/evil", b"x")), "name leads out of it: '/etc/evil'"),
        (plain(member("a", type=tarfile.SYMTYPE, linkname="/etc/passwd")), "a link: 'a' to '/etc/passwd'"),
        (plain(member("a", type=tarfile.LNKTYPE, linkname="model_config.yaml")), "a link: 'a'"),
        (plain(member("a", type=tarfile.CHRTYPE)), "a device or pipe: 'a'"),
        (plain(member("a", type=tarfile.FIFOTYPE)), "a device or pipe: 'a'"),
        (plain(member("./model_config.yaml", b"b: 2")), "holds 'model_config.yaml' twice"),
        (plain()[:1], r"model_weights\.ckpt is missing; it holds model_config\.yaml"),
        (plain()[1:], r"model_config\.yaml is missing"),
        ([], "is missing; it holds nothing"),
        ([*plain()[:1], member("model_weights/metadata.json", b"{}")], "a distributed checkpoint"),
        ([*plain()[:1], member("mp_rank_00/model_weights.ckpt", b"x")], "split over several processes"),
    ],
)
def test_members_that_no_nemo_file_has(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(write_tar(tmp_path, members))


def test_no_archive_at_all(tmp_path: Path) -> None:
    path = tmp_path / "model.nemo"
    with pytest.raises(CheckpointError, match="there is no such file"):
        read(path)
    with pytest.raises(CheckpointError, match=r"distributed checkpoint.*save_to"):
        read(tmp_path)
    path.write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(CheckpointError, match="is no tar archive"):
        read(path)
    path.write_bytes(gzip.compress(b"no tar inside" * 100))
    with pytest.raises(CheckpointError, match="is no tar archive"):
        read(path)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_truncated_archive(write_nemo: NemoWriter, mode: str) -> None:
    path = write_nemo(CONFIG, {"a": torch.randn(4000)}, mode=mode)
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(CheckpointError, match="is truncated"):
        read(path)


def test_a_damaged_gzip(write_nemo: NemoWriter) -> None:
    path = write_nemo(CONFIG, {"a": torch.randn(4000)}, mode="w:gz")
    content = bytearray(path.read_bytes())
    content[4000:4100] = bytes(100)
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="does not decompress"):
        read(path)


def test_a_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nemo_archive, "_FREE_BYTES", 1 << 20)
    path = tmp_path / "model.nemo"
    path.write_bytes(gzip.compress(bytes(8 << 20)))
    with pytest.raises(CheckpointError, match="decompresses to more than 1048576 bytes"):
        read(path)


def test_a_sparse_bomb(tmp_path: Path) -> None:
    path = tmp_path / "model.nemo"
    info, _ = member("model_weights.ckpt", type=tarfile.GNUTYPE_SPARSE)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"  # the size it claims to have
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + bytes(1024))
    with pytest.raises(CheckpointError, match=r"a sparse file: 'model_weights\.ckpt'"):
        read(path)


def test_members_of_bounded_size(write_nemo: NemoWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_nemo(CONFIG, WEIGHTS, ARTIFACTS)
    for limit in ("MAX_CONFIG_BYTES", "MAX_WEIGHTS_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(nemo_archive, limit, 8)
            with pytest.raises(CheckpointError, match="at most 8 are read"):
                read(path)
    monkeypatch.setattr(nemo_archive, "MAX_MEMBERS", 2)
    with pytest.raises(CheckpointError, match="more than 2 members"):
        read(path)


class _Command:
    def __reduce__(self) -> Any:
        return os.system, ("touch evil",)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_not_run(
    write_nemo: NemoWriter, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = saved({"a": _Command()}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"holds pickled code \(posix\.system\), which is not run"):
        read(write_nemo(CONFIG, weights))


def compressed_records() -> bytes:
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"a": torch.zeros(100_000)}))) as source,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    return content.getvalue()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (b"no weights", "is damaged, or no file of PyTorch"),
        (b"PK\x03\x04no zip", "is damaged, or no file of PyTorch"),
        (saved(WEIGHTS)[:600], "is damaged, or no file of PyTorch"),
        (compressed_records(), "holds compressed records"),
        ([torch.zeros(2)], "is no state dict"),
        ({}, "is no state dict"),
        ({"state_dict": {"a": torch.zeros(2)}}, "'state_dict' is a dict, not a tensor"),
        ({3: torch.zeros(2)}, "'3' is a Tensor, not a tensor with a name"),
        ({"a": torch.zeros(1).expand(1 << 40)}, "a claims to be larger than it is"),
        ({"a": torch.eye(3).to_sparse()}, "a is no plain tensor"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a holds NaN or infinity"),
        ({"a": torch.tensor([1.0, float("inf")], dtype=torch.float16)}, "a holds NaN or infinity"),
    ],
)
def test_weights_that_are_no_state_dict(write_nemo: NemoWriter, weights: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(write_nemo(CONFIG, weights))


def test_yaml_as_omegaconf_means_it(write_nemo: NemoWriter) -> None:
    text = b"a: &x [no, on, 'true', 1e-5, 10, ~]\nb: *x\nc: {true: 1}\n"
    config, _ = read(write_nemo(text, WEIGHTS))
    assert config == {"a": ["no", "on", "true", 1e-5, 10, None], "b": config["a"], "c": {True: 1}}


BILLION = b"a0: &a0 [1, 1]\n" + b"".join(
    b"a%d: &a%d [*a%d, *a%d]\n" % (number, number, number - 1, number - 1) for number in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: !!python/object/apply:os.system [touch evil]", "cannot be read as plain YAML.*python/object"),
        (b"a: [1, 2", r"line 2: cannot be read as plain YAML"),
        (b"\xff\xfe\xfa", "cannot be read as plain YAML"),
        (b"a: *nowhere", "cannot be read as plain YAML"),
        (b"- 1", "holds no keys with values"),
        (b"", "holds no keys with values"),
        (BILLION, "grows to more than 1000000 values"),
        (b"a: &a [*a]", "contains itself"),
        (b"a: " + b"[" * 100 + b"]" * 100, "nested more than 64 deep"),
    ],
)
def test_yaml_that_is_no_configuration(write_nemo: NemoWriter, text: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(write_nemo(text, WEIGHTS))
