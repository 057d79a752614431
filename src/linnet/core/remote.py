"""Reading what lies at a URL (s3://, gs://, http://, https://) as a file, through fsspec: extra `remote`."""

import io
import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, cast
from urllib.parse import quote

from linnet.core.errors import LinnetError, MissingDependencyError
from linnet.core.optional import require

SCHEMES = ("s3", "gs", "http", "https")
MAX_URL_BYTES = 2 << 30  # of one object; what is larger is no recording or manifest that linnet can use
BLOCK_BYTES = 1 << 20  # fetched in one request, so that most utterances take a single one

# A Path made of a URL has lost one of the two slashes.
_URL = re.compile(rf"({'|'.join(SCHEMES)}):/{{1,2}}(?=[^/])")

_CREDENTIALS = (
    "For S3 set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; a public bucket needs "
    "FSSPEC_S3_ANON=true"
)


def as_url(location: str | os.PathLike[str]) -> str | None:
    """Return the URL that `location` is, None where it is a path of this machine; fetches nothing."""
    text = os.fspath(location)
    match = _URL.match(text)
    return f"{match[1]}://{text[match.end() :]}" if match else None


def join_url(file_url: str, name: str) -> str:
    """Return the URL of `name`, which is relative to the folder of the file at `file_url`.

    ".." does not lead out of the bucket or off the server.
    """
    scheme, _, rest = file_url.partition("://")
    root, _, path = rest.partition("/")
    if scheme.startswith("http"):
        path, name = re.split("[?#]", path, maxsplit=1)[0], quote(name)
    folder, slash, _ = path.rpartition("/")
    path = folder + slash + name
    if not {".", ".."}.isdisjoint(name.split("/")):
        path = posixpath.normpath(f"/{path}")[1:]
    return f"{scheme}://{root}/{path}"


@contextmanager
def open_url(
    url: str, raising: type[LinnetError], *, block_bytes: int = BLOCK_BYTES
) -> Iterator[io.BufferedReader]:
    """Open what lies at a URL as a binary file, at its start; the one door to remote stores.

    From object stores (s3, gs) only the blocks that are read are fetched, and the file can seek. Web servers
    need not serve parts of a file, and few say whether they do: from these it comes as a stream.

    Args:
        url: as `as_url` gives it.
        raising: the class of the error, such as AudioError; it names the URL and the remedy.
        block_bytes: what one request to an object store fetches.

    Raises:
        LinnetError: of the class `raising`: nothing is there, access is refused, it is larger than
            MAX_URL_BYTES, or the transfer broke off, also while the caller was reading.
        MissingDependencyError: when the packages for this kind of store are not installed.
    """
    try:
        file = _RemoteFile(_opened(url, block_bytes))
    except MissingDependencyError:
        raise
    except Exception as error:  # each store has classes of its own, most of them not OSErrors
        raise _explained(error, url, raising) from error
    with closing(file):
        try:
            yield io.BufferedReader(file)
        finally:
            if isinstance(file.failure, Exception):
                raise _explained(file.failure, url, raising) from file.failure
            if file.failure is not None:
                raise file.failure


def _opened(url: str, block_bytes: int) -> Any:
    """Open a file of fsspec: one that seeks in an object store, or a stream from a web server."""
    fsspec = require("fsspec", extra="remote", purpose=f"reading {url}")
    scheme = url.partition(":")[0]
    try:
        store = fsspec.filesystem(scheme)
    except ImportError as error:
        package = "gcsfs" if scheme == "gs" else "'linnet[remote]'"
        raise MissingDependencyError(
            f"{url} cannot be read ({error})", remedy=f"Install what is missing with: pip install {package}"
        ) from error
    if scheme.startswith("http"):
        return store.open(url, "rb", block_size=0)
    file = store.open(url, "rb", block_size=block_bytes, cache_type="blockcache")
    with ExitStack() as on_failure:
        on_failure.callback(file.close)
        if file.details.get("type") == "directory":
            raise IsADirectoryError(url)
        if file.size > MAX_URL_BYTES:
            raise _too_large()
        on_failure.pop_all()
    return file


class _RemoteFile(io.RawIOBase):
    """A file of fsspec that ends where it fails, and keeps the failure for `open_url` to raise.

    Decoders in C call it, and no exception passes through them, not even Ctrl-C.
    """

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self._seekable = file.size is not None  # a stream of fsspec claims to be seekable
        self._num_read = 0
        self.failure: BaseException | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        if self.failure is not None:
            return 0
        try:
            content = self._file.read(len(buffer))
            self._num_read += len(content)
            if not self._seekable and self._num_read > MAX_URL_BYTES:
                raise _too_large()
        except BaseException as error:
            self.failure = error
            return 0
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _too_large() -> ValueError:
    return ValueError(f"it is larger than {MAX_URL_BYTES} bytes")


def _explained(error: Exception, url: str, raising: type[LinnetError]) -> LinnetError:
    """Turn what a store says into an error with a remedy."""
    if url.startswith("http") and isinstance(error, FileNotFoundError) and error.__cause__:
        error = cast(Exception, error.__cause__)  # fsspec calls every failure of a web server a missing file
    status, kind = getattr(error, "status", None), type(error).__name__
    if isinstance(error, FileNotFoundError | IsADirectoryError) or status == 404:
        what = "there is no file at this address"
        remedy = "Check the bucket or host and the name, where capitals matter"
    elif isinstance(error, PermissionError) or status in (401, 403):
        what = f"access is refused ({error})"
        remedy = f"Check the credentials. {_CREDENTIALS}" if url.startswith("s3:") else "Ask for rights there"
    elif "Credentials" in kind:
        what, remedy = "no credentials were found for the store", _CREDENTIALS
    else:
        what = f"cannot be fetched ({str(error) or kind})"
        remedy = "Check the address and the network, and try again"
    return raising(what, where=url, remedy=remedy)
