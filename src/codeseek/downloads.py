"""Fetch a model's files from a hub or its mirror: resumed where they were cut off, checked, and pinned."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from codeseek import __version__, catalogue, installed, weights
from codeseek.catalogue import ModelSpec, Variant
from codeseek.errors import CodeseekError, ModelError
from codeseek.installed import Listener, Transfer
from codeseek.lock import WriteLock

MIRRORS = {"hf-mirror": "https://hf-mirror.com", "modelscope": "https://modelscope.cn"}
"""Mirrors that have a name. The first has Hugging Face's repositories, the second its own."""

_HUGGING_FACE = "https://huggingface.co"
_BLOCK = 1 << 18
_SPARE = 100_000_000  # bytes of a disk that a download leaves alone
_ELSEWHERE = "`--mirror hf-mirror` or `--mirror modelscope` where it is blocked; `models import` needs no network"


class Patience(NamedTuple):
    """How long a silent server is waited for, how often a download that brings nothing is begun again, and when."""

    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0


PATIENCE = Patience()


class _Asset(NamedTuple):
    """A file as a server offers it; `tag` identifies its content, and is its sha256 where the server knows that."""

    path: str
    url: str
    size: int
    tag: str = ""
    token: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class _Cut(Exception):
    """The connection broke or fell silent; the reason is the text."""


def pull(
    spec: ModelSpec,
    variant: Variant,
    data_dir: Path,
    *,
    mirror: str = "",
    listener: Listener | None = None,
    patience: Patience = PATIENCE,
) -> int:
    """Fetch those of a variant's files that are not there yet, and return how many these were.

    `mirror` is a name in `MIRRORS` or the address of what serves Hugging Face's repositories; where it is empty,
    `HF_ENDPOINT` is obeyed. What has arrived when it ends early is kept, and the next call goes on from there. Raises
    `ModelError`, and `BusyError` when another process is at it.
    """
    if not variant.files:
        raise ModelError(f"`{spec.name}` has no files to pull", hint=f"`codeseek models use {spec.name}` chooses it")
    folder = catalogue.files_folder(data_dir, spec, variant)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with WriteLock(folder / ".lock", f"pulling `{spec.name}`"):
            assets = _assets(spec, variant, mirror, patience)
            wanted = [asset for asset in assets if not _is_there(folder, asset)]
            _check_room(folder, wanted)
            for asset in wanted:
                _fetch(folder, asset, listener, patience)
            return len(wanted)
    except OSError as error:
        raise ModelError(
            f"cannot write to `{folder}`: {error.strerror or error}", hint="make room, or set `data_dir` elsewhere"
        ) from error


# ------------------------------------------------------------ what the servers offer


def _assets(spec: ModelSpec, variant: Variant, mirror: str, patience: Patience) -> Sequence[_Asset]:
    paths = [file.path for file in variant.files]
    source = "modelscope" if mirror == "modelscope" else "huggingface"
    if source not in variant.sources:
        others = [other.name for other in spec.variants if source in other.sources]
        where = "ModelScope" if source == "modelscope" else "Hugging Face"
        raise ModelError(
            f"{where} has no `{spec.name}` {variant.name} that codeseek knows of",
            hint=f"it has {', '.join(others)}: add `--quant`" if others else "try another mirror, or `models import`",
        )
    repository = variant.sources[source]
    if source == "modelscope":
        endpoint = os.environ.get("MODELSCOPE_ENDPOINT") or MIRRORS["modelscope"]
        return _on_modelscope(repository, paths, endpoint.rstrip("/"), patience)
    if mirror and mirror not in MIRRORS and not re.match(r"https?://[^/]", mirror):
        raise ModelError(f"unknown mirror `{mirror}`", hint=f"name {', '.join(MIRRORS)} or an address with https://")
    # A token goes to where it was given for, and to where the user's own environment points; not to a mirror.
    endpoint = MIRRORS.get(mirror, mirror) or os.environ.get("HF_ENDPOINT") or _HUGGING_FACE
    return _on_hugging_face(repository, paths, endpoint.rstrip("/"), patience, with_token=not mirror)


def _on_hugging_face(
    repository: str, paths: Sequence[str], endpoint: str, patience: Patience, *, with_token: bool
) -> Sequence[_Asset]:
    try:
        import huggingface_hub
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
    except ImportError as error:
        raise ModelError(
            "pulling from Hugging Face needs the package `huggingface_hub`",
            hint="`pip install 'codeseek[hub]'`, or add `--mirror modelscope`, which needs nothing",
        ) from error
    assets = []
    for path in paths:
        try:
            token = (huggingface_hub.get_token() or "") if with_token else ""
            found = huggingface_hub.get_hf_file_metadata(
                huggingface_hub.hf_hub_url(repository, path, endpoint=endpoint),
                token=token or False,
                timeout=patience.timeout_s,
                endpoint=endpoint,
                library_name="codeseek",
                library_version=__version__,
            )
        except CodeseekError:
            raise
        except EntryNotFoundError as error:
            raise _not_found(path, repository, endpoint) from error
        except HfHubHTTPError as error:
            raise _http_error(error.response.status_code, path, repository, endpoint) from error
        except Exception as error:  # its HTTP client, and so its errors, are others from one version to the next
            raise _unreachable(endpoint, str(error)) from error
        if not found.commit_hash or found.size is None:
            raise ModelError(
                f"`{endpoint}` does not answer as a model hub",
                hint=f"a proxy or a login page may stand in between; {_ELSEWHERE}",
            )
        url = huggingface_hub.hf_hub_url(repository, path, revision=found.commit_hash, endpoint=endpoint)
        assets.append(_Asset(path, url, found.size, found.etag or "", token))
    return assets


def _on_modelscope(repository: str, paths: Sequence[str], endpoint: str, patience: Patience) -> Sequence[_Asset]:
    address = f"{endpoint}/api/v1/models/{repository}/repo/files?Revision=master&Recursive=true"
    try:
        with _opened(urllib.request.Request(address), patience) as answer:  # noqa: S310 # https, or the user's own
            rows = {row["Path"]: row for row in json.load(answer)["Data"]["Files"]}
    except urllib.error.HTTPError as error:
        raise _http_error(error.code, "", repository, endpoint) from error
    except (_Cut, OSError) as error:
        raise _unreachable(endpoint, str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"`{endpoint}` does not answer as a model hub",
            hint="a proxy or a login page may stand in between; `models import` needs no network",
        ) from error
    for path in paths:
        if path not in rows:
            raise _not_found(path, repository, endpoint)
    return [
        _Asset(
            path,
            f"{endpoint}/models/{repository}/resolve/{rows[path].get('Revision') or 'master'}/{quote(path)}",
            int(rows[path].get("Size") or 0),
            str(rows[path].get("Sha256") or ""),
        )
        for path in paths
    ]


def _not_found(path: str, repository: str, endpoint: str) -> ModelError:
    return ModelError(
        f"there is no `{path}` in `{repository}` at {endpoint}",
        hint="its publisher may have renamed it: another `--quant` or `--mirror` may have it",
    )


def _http_error(status: int, path: str, repository: str, endpoint: str) -> ModelError:
    place = f"{endpoint}/{repository}"
    if status in (401, 403):
        return ModelError(
            f"`{endpoint}` does not give `{repository}` to you (status {status})",
            hint=f"accept its terms at {place}, then `hf auth login` or set `HF_TOKEN`; a token is never sent to a "
            "`--mirror`, only to where `HF_ENDPOINT` points",
        )
    if status == 404:
        return _not_found(path or "file", repository, endpoint)
    return ModelError(f"`{endpoint}` answered with status {status}", hint="try again later, or another `--mirror`")


def _unreachable(endpoint: str, reason: str) -> ModelError:
    return ModelError(f"cannot reach `{endpoint}`: {reason}", hint=_ELSEWHERE)


# ------------------------------------------------------------ the transfer


def _is_there(folder: Path, asset: _Asset) -> bool:
    """Tell whether the file is there in the state that the server has."""
    path, known = folder / asset.path, installed.pins(folder).get(asset.path)
    if known is None or not path.is_file() or path.stat().st_size != known.size:
        return False
    return asset.tag in (known.tag, known.sha256) if asset.tag else asset.size == known.size


def _part(folder: Path, asset: _Asset) -> Path:
    """Return where a file grows: by the state that the server has, so that two states are never mixed."""
    state = hashlib.blake2b(f"{asset.tag or asset.url} {asset.size}".encode(), digest_size=6).hexdigest()
    return folder / f"{asset.path}.{state}.part"


def _check_room(folder: Path, assets: Sequence[_Asset]) -> None:
    parts = [part for asset in assets if (part := _part(folder, asset)).exists()]
    needed = sum(asset.size for asset in assets) - sum(part.stat().st_size for part in parts)
    free = shutil.disk_usage(folder).free
    if needed + (_SPARE if needed > 0 else 0) > free:
        raise ModelError(
            f"not enough room in `{folder}`: {needed / 1e9:.1f} GB to come, {free / 1e9:.1f} GB free",
            hint="make room, or set `data_dir` to a larger disk",
        )


def _fetch(folder: Path, asset: _Asset, listener: Listener | None, patience: Patience) -> None:
    part, target = _part(folder, asset), folder / asset.path
    part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(part, "a+b", opener=installed.private) as file:
        _fill(file, asset, listener, patience)
        file.flush()
        os.fsync(file.fileno())
    sha256 = installed.digest(part, "sha256", asset.path, listener)
    try:
        weights.check(part, asset.path)
        _compare(part, sha256, asset)
    except ModelError:
        part.unlink()
        raise
    part.replace(target)  # at once: a model that is being read stays whole
    installed.pin(folder, asset.path, sha256, asset.url, asset.tag)
    for other in target.parent.glob(f"{target.name}.*.part"):
        other.unlink()


def _compare(part: Path, sha256: str, asset: _Asset) -> None:
    """Raise `ModelError` unless a file is what the server's record says: an LFS sha256, or else git's own hash."""
    tag = asset.tag.lower()
    if re.fullmatch(r"[0-9a-f]{64}", tag):
        same = sha256 == tag
    elif re.fullmatch(r"[0-9a-f]{40}", tag):
        same = installed.digest(part, "sha1", start=b"blob %d\0" % part.stat().st_size) == tag
    else:
        same = True
    if not same:
        raise ModelError(
            f"`{asset.path}` is not what {asset.host} announced: its hash differs, and it was thrown away",
            hint="pull again; if it happens twice, take another `--mirror`",
        )


def _fill(file: BinaryIO, asset: _Asset, listener: Listener | None, patience: Patience) -> None:
    """Append to a file until it is whole; raises `ModelError` when nothing more comes."""
    failures = 0
    while True:
        before = file.seek(0, os.SEEK_END)
        if asset.size and before == asset.size:
            return
        try:
            _append(file, asset, listener, patience)
            after = file.seek(0, os.SEEK_END)
            if after == asset.size or not asset.size:
                return
            reason = "it ended early"
        except _Cut as cut:
            after, reason = file.seek(0, os.SEEK_END), str(cut)
        failures = 0 if after > before else failures + 1
        if failures >= patience.attempts:
            raise ModelError(
                f"`{asset.path}` stopped at {after:,} of {asset.size:,} bytes: {reason}",
                hint="the same command goes on from there; another `--mirror` begins anew if its file differs",
            )
        time.sleep(patience.pause_s * failures)


def _append(file: BinaryIO, asset: _Asset, listener: Listener | None, patience: Patience) -> None:
    """Ask for what is missing and write what comes; raises `_Cut` and `ModelError`."""
    start = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(asset.url)  # noqa: S310 # https, or the user's own
    if start:
        request.add_header("Range", f"bytes={start}-")
    if asset.token:  # not passed on to the storage that the hub sends us to
        request.add_unredirected_header("Authorization", f"Bearer {asset.token}")
    try:
        with _opened(request, patience) as answer:
            kind = answer.headers.get_content_type()
            if kind == "text/html" and not asset.path.endswith(".html"):
                raise ModelError(
                    f"{asset.host} sent a web page instead of `{asset.path}`",
                    hint="a proxy or a login page may stand in between; try another `--mirror`",
                )
            if start and answer.status != 206:  # the server does not do ranges: all comes again
                start = 0
                file.seek(0)
                file.truncate()
            done = start
            for block in _blocks(answer):
                if asset.size and done + len(block) > asset.size:
                    raise ModelError(
                        f"{asset.host} sends more of `{asset.path}` than it announced", hint="try another `--mirror`"
                    )
                file.write(block)
                done += len(block)
                if listener:
                    listener(Transfer("pulling", asset.path, done, asset.size))
    except urllib.error.HTTPError as error:
        if error.code == 416:  # more is here than there
            file.truncate(0)
            raise _Cut("the server has less of it than is here") from error
        if error.code in (408, 429) or error.code >= 500:
            raise _Cut(f"status {error.code}") from error
        repository = urlsplit(asset.url).path.partition("/resolve/")[0].strip("/")
        raise _http_error(error.code, asset.path, repository, f"https://{asset.host}") from error


def _blocks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            block = answer.read1(_BLOCK)
        except TimeoutError as error:
            raise _Cut("the server fell silent") from error
        except (OSError, http.client.HTTPException) as error:
            raise _Cut(str(error) or type(error).__name__) from error
        if not block:
            return
        yield block


@contextmanager
def _opened(request: urllib.request.Request, patience: Patience) -> Iterator[http.client.HTTPResponse]:
    """Send a request; raises `HTTPError` for an answer that is none, and `_Cut` where there is no answer."""
    request.add_header("User-Agent", f"codeseek/{__version__}")
    request.add_header("Accept-Encoding", "identity")
    try:
        answer = urllib.request.urlopen(request, timeout=patience.timeout_s)  # noqa: S310 # https, or the user's own
    except urllib.error.HTTPError as error:
        error.close()
        raise
    except urllib.error.URLError as error:
        raise _Cut(str(error.reason)) from error
    except TimeoutError as error:
        raise _Cut("the server fell silent") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(str(error) or type(error).__name__) from error
    with answer:
        yield answer
