"""Read the text of a PDF that somebody uploads, in a process of its own.

A PDF is a program of sorts, and a damaged or malicious one can take hours and gigabytes to read.
So the reading is done by a child with little memory and little time, and what it cannot do becomes
one sentence.
"""

import json
import subprocess
import sys
from typing import Any

MOST_PAGES = 500
MOST_SECONDS = 60.0
MOST_MEMORY = 700_000_000  # bytes of address space
_MINIMUM = 20  # characters; less is a scan, or empty
_ROOT = __file__.rsplit("llm_core", 1)[0]
_SENTENCES = {
    "damaged": "{name} cannot be read as a PDF: it is damaged, or no PDF at all.",
    "locked": "{name} is locked by a password: save a copy without one.",
    "pages": "{name} has {count} pages, and the limit here is " + f"{MOST_PAGES}: take a part.",
    "large": "{name} needs too much memory to be read: save it anew, or take a text file.",
    "missing": "PDF files need the package pypdf, which is not installed here: "
    "run `pip install pypdf`, or take text or Markdown.",
}


def read_pdf(
    name: str, content: bytes, *, seconds: float = MOST_SECONDS
) -> tuple[str, tuple[int, ...]]:
    """Return a PDF's text, and where in it each page starts. Pages are parted by an empty line.

    Raises ValueError, with one sentence that names the file, if it cannot be read, is locked, too
    long, or holds only pictures.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "llm_core.retrieval.pdf_files"],
            input=content,
            capture_output=True,
            timeout=seconds,
            cwd=_ROOT,
            check=False,
        )
        told: dict[str, Any] = json.loads(child.stdout)
    except subprocess.TimeoutExpired as error:
        raise ValueError(
            f"{name} took longer than {seconds:.0f} seconds to read, so we gave up: save it anew, "
            "or take text."
        ) from error
    except json.JSONDecodeError:  # killed, or out of memory before it could say so
        told = {"problem": "large"}
    if "problem" in told:
        raise ValueError(_SENTENCES[told["problem"]].format(name=name, count=told.get("count")))
    pages: list[str] = told["pages"]
    if len("".join(pages).strip()) < _MINIMUM:
        raise ValueError(
            f"{name} holds no text: it may be a scan, a picture of pages. It would have to go "
            "through text recognition first."
        )
    starts = [0]
    for page in pages[:-1]:
        starts.append(starts[-1] + len(page) + 2)
    return "\n\n".join(pages), tuple(starts)


def _read(content: bytes) -> dict[str, Any]:
    """What the child does: the text of each page, or what is wrong."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, LimitReachedError, PyPdfError
    except ImportError:
        return {"problem": "missing"}
    import io

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"problem": "locked"}
        count = len(reader.pages)
        if count > MOST_PAGES:
            return {"problem": "pages", "count": count}
        return {"pages": [_plain(page.extract_text()) for page in reader.pages]}
    except (MemoryError, LimitReachedError):
        return {"problem": "large"}
    except DependencyError:  # locked in a way that takes one more package to open
        return {"problem": "locked"}
    except (PyPdfError, Exception):  # a parser of such files can raise anything
        return {"problem": "damaged"}


def _plain(text: str) -> str:
    """A page's text without what no text file holds."""
    kept = text.replace("\0", "").encode("utf-8", errors="ignore").decode("utf-8")
    return "\n".join(line.rstrip() for line in kept.splitlines()).strip()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; the time still has one
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    _limit_memory()
    sys.stdout.write(json.dumps(_read(sys.stdin.buffer.read())))
