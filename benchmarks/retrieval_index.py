"""Make the index that ships with the course, and say what it costs and finds.

    python benchmarks/retrieval_index.py --folder FOLDER [--bfloat16] [--threads 2]

It embeds every passage of the State of the Union addresses (on a quiet core 13 minutes, or 5 with
--bfloat16 where it has units for that; stopped, it goes on where it was), rounds the vectors, adds
those of our questions, and writes llm_core/retrieval/shipped/state_of_the_union.npz; the one that
ships was made with --bfloat16. Then it prints how far the rounded vectors are from those in
float32, and what each way to search finds.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch

from llm_core.pretrained.minilm import load_minilm
from llm_core.retrieval.chunks import Passages, cut_documents
from llm_core.retrieval.documents import state_of_the_union
from llm_core.retrieval.encoder import NAME, WIDTH, embedder
from llm_core.retrieval.evaluation import KINDS, load_questions, measures, run_questions
from llm_core.retrieval.search import METHODS, make_searcher
from llm_core.retrieval.shipped import SHIPPED, load_shipped, save_shipped
from llm_core.retrieval.vector_files import Embed, VectorFile

SAMPLE = 64


def compute_vectors(passages: Passages, folder: Path, embed: Embed) -> np.ndarray:
    """Embed all passages, telling how far it is."""
    file = VectorFile(folder, passages, width=WIDTH, encoder=NAME)
    told = time.monotonic()
    for progress in file.compute(embed):
        if time.monotonic() - told > 30:
            told = time.monotonic()
            left = progress.remaining / 60
            print(f"  {progress.done:,} of {progress.total:,}, {left:.0f} min left", flush=True)
    return file.read()


def compare(passages: Passages, exact: Embed) -> None:
    """Print how far the shipped vectors are from those of float32, on a sample."""
    places = np.linspace(0, len(passages) - 1, SAMPLE).astype(int)
    vectors = exact([passages.text(int(place)) for place in places])
    shipped = load_shipped(passages)
    cosines = (vectors * shipped.dense.vectors[places]).sum(axis=1)
    questions = np.stack(list(shipped.questions.values()))
    off = np.abs(vectors @ questions.T - shipped.dense.vectors[places] @ questions.T)
    print(f"{SAMPLE} shipped vectors against float32: cosine {cosines.min():.5f} or more,")
    print(
        f"  scores of {len(questions)} questions off by {off.mean():.5f}, at most {off.max():.5f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where vectors are kept")
    parser.add_argument("--bfloat16", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    passages = cut_documents(state_of_the_union())
    print(f"{len(passages):,} passages of {len(passages.documents)} addresses")
    loaded = load_minilm()
    exact = embedder(loaded)
    vectors = compute_vectors(passages, options.folder, embedder(loaded, bfloat16=options.bfloat16))
    questions = load_questions()
    texts = [question.text for question in questions]
    size = save_shipped(passages, vectors, texts, exact(texts))
    print(f"{SHIPPED.relative_to(ROOT)}: {size:,} bytes")
    compare(passages, exact)
    shipped = load_shipped(passages)
    asked = [question for question in questions if question.evidence]
    outcomes = run_questions(make_searcher(passages, shipped.dense), asked, shipped.questions)
    for kind in ("all", *KINDS.values()):
        chosen = [each for each in outcomes if kind in ("all", each.question.kind)]
        for method in METHODS:
            found = measures([each.ranks[method] for each in chosen])
            numbers = "  ".join(f"{name} {value:.3f}" for name, value in found.items())
            print(f"{kind:22} {method:7} {len(chosen):4} questions  {numbers}")


if __name__ == "__main__":
    main()
