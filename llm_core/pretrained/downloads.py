"""Two ways to get a file over the network: a package installer, and a plain address.

Both are generators that yield the bytes received so far; closing one ends its work. Both raise
OSError where the network does not give what was asked for.
"""

import http.client
import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path

_PAUSE = 0.1  # seconds between two looks at a working installer
_PATIENCE = 20  # seconds without an answer before the network counts as absent
_CHUNK = 1 << 18


def install_package(requirement: str, folder: Path) -> Generator[int, None, None]:
    """Unpack a package, without its dependencies, into `folder`/package.

    All that the installer writes on the way lies below `folder`: the one who calls removes it,
    so that a killed installer leaves nothing elsewhere.
    """
    log = folder / "installer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_installer(folder), requirement],
            env=_installer_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                yield _bytes_below(folder)
                try:
                    process.wait(_PAUSE)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip()]
        raise OSError(told[-1] if told else f"the installer gave up on {requirement}")


def download(address: str, target: Path, size: int) -> Generator[int, None, None]:
    """Bring the `size` bytes at `address` to `target`; go on where an earlier attempt ended."""
    have = target.stat().st_size if target.exists() else 0
    have = have if have < size else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            have = have if resumed else 0
            with target.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    yield have
    except http.client.HTTPException as error:
        raise OSError(f"{address} broke off") from error
    if have < size:
        raise OSError(f"{address} broke off after {have:,} of {size:,} bytes")


def _installer(folder: Path) -> list[str]:
    """The command that installs into `folder`/package: pip's, or uv's where there is no pip."""
    into = ["--no-deps", "--target", str(folder / "package")]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-compile"]
        quick = ["--only-binary=:all:", "--retries=1", f"--timeout={_PATIENCE}"]
        return pip + quick + into
    uv = shutil.which("uv")
    if uv is None:
        raise OSError("there is neither pip nor uv to install with")
    cache = ["--cache-dir", str(folder / "cache"), "--link-mode", "copy"]
    return [uv, "pip", "install", "--python", sys.executable, "--no-build", *cache, *into]


def _installer_environment(folder: Path) -> dict[str, str]:
    """The environment of the installer: its temporary files too lie below `folder`."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    own = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    # A user's settings for whole environments would forbid to install into a folder.
    own |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_NO_INPUT": "1"}
    return os.environ | own | {"UV_HTTP_TIMEOUT": str(_PATIENCE)}


def _bytes_below(folder: Path) -> int:
    """Bytes of all files in a folder, while another process adds and removes some."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except OSError:  # gone since it was listed
                continue
    return total
