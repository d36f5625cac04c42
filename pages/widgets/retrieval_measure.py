"""What each way to search finds, and what scores say where there is no answer."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from llm_core.retrieval.evaluation import FAR, KINDS, NEAR, Outcome, measures, run_questions
from llm_core.retrieval.search import METHODS, VECTORS, WORDS
from pages.figures.retrieval import absent_figure, measures_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure, show_table
from pages.widgets.fragments import own_part
from pages.widgets.retrieval_corpus import addresses
from pages.widgets.retrieval_embed import Encoded
from pages.widgets.retrieval_words import Asked, known_questions

MEASURES = ("recall@1", "recall@5", "recall@10", "MRR")
ANSWERED = "with an answer"
_SETUP = """from llm_core.retrieval.chunks import cut_documents
from llm_core.retrieval.documents import state_of_the_union
from llm_core.retrieval.evaluation import load_questions
from llm_core.retrieval.search import make_searcher
from llm_core.retrieval.shipped import load_shipped

passages = cut_documents(state_of_the_union())
shipped = load_shipped(passages)
searcher = make_searcher(passages, shipped.dense)"""


@st.cache_data(max_entries=1, show_spinner="Searching for all of our questions …")
def outcomes() -> list[Outcome]:
    """What came of each of our questions."""
    searcher, shipped, reason = addresses()
    if shipped is None:
        raise ValueError(reason)
    return run_questions(searcher, list(known_questions().values()), shipped.questions)


def measure() -> dict[str, float]:
    """Draw what each way finds, by kind of question; return the values that questions ask for."""
    asked = [each for each in outcomes() if each.question.evidence]
    texts = [each.question.text for each in asked]
    ranks = {method: [each.ranks[method] for each in asked] for method in METHODS}
    _draw_measures(texts, [each.question.kind for each in asked], ranks)
    found = sum(rank is not None and rank <= 5 for rank in ranks[WORDS])
    return {"asked": len(texts), "found_words": found}


@own_part
def _draw_measures(
    texts: Sequence[str], kinds: Sequence[str], ranks: dict[str, list[int | None]]
) -> None:
    measured = st.segmented_control(
        "Measure", MEASURES, default="recall@5", required=True, key="measure", bind="query-params"
    )
    groups = [*KINDS.values(), "all"]
    values = {
        method: [
            measures([r for r, k in zip(ranks[method], kinds, strict=True) if group in ("all", k)])[
                measured
            ]
            for group in groups
        ]
        for method in METHODS
    }
    winners = [max(METHODS, key=lambda m: values[m][n]) for n in range(len(groups))]
    table: Any = pd.DataFrame(values, index=pd.Index(groups, name="questions"))
    show_figure(
        measures_figure(values, groups, measured),
        key="measures",
        alt=f"{measured} on {len(texts)} questions: with the passage's words the best is "
        f"{winners[0]} with {values[winners[0]][0]:.2f}, as one would ask {winners[1]} with "
        f"{values[winners[1]][1]:.2f}, in other words {winners[2]} with "
        f"{values[winners[2]][2]:.2f}; on all of them {winners[3]} with "
        f"{values[winners[3]][3]:.2f}.",
        table=table.map(lambda number: f"{number:.3f}"),
    )
    every = pd.DataFrame(
        {"asked in": list(kinds)} | {m: [r or "not found" for r in ranks[m]] for m in METHODS},
        index=pd.Index(texts, name="question"),
    ).astype(str)
    st.caption("The rank of the first passage with the answer, for every question:")
    show_table(every, key="ranks")
    _show_code(ranks)


def _show_code(ranks: dict[str, list[int | None]]) -> None:
    numbers = {
        method: {name: round(value, 3) for name, value in measures(found).items()}
        for method, found in ranks.items()
    }
    lines = "\n".join(
        f"print(round(recall_at([each.ranks[{method!r}] for each in found], 5), 3))  # "
        f"{numbers[method]['recall@5']}"
        for method in METHODS
    )
    show_code(
        measures,
        run_questions,
        key="measures",
        call=f"""{_SETUP}
from llm_core.retrieval.evaluation import recall_at, run_questions

asked = [question for question in load_questions() if question.evidence]
found = run_questions(searcher, asked, shipped.questions)
{lines}""",
    )


def best_scores() -> dict[str, dict[str, tuple[list[str], list[float]]]]:
    """For words and for vectors, by kind: our questions' texts and their best scores."""
    rows: dict[str, dict[str, tuple[list[str], list[float]]]] = {WORDS: {}, VECTORS: {}}
    for each in outcomes():
        kind = ANSWERED if each.question.evidence else each.question.kind
        for method, kinds in rows.items():
            texts, scores = kinds.setdefault(kind, ([], []))
            texts.append(each.question.text)
            scores.append(each.best[method])
    return rows


def find_absent(encoded: Encoded, asked: Asked) -> dict[str, float]:
    """Best scores of questions with and without an answer, and a threshold between them."""
    scores = best_scores()
    _draw_absent(scores, encoded, asked)
    return {"near": len(scores[VECTORS][NEAR][0]), "far": len(scores[VECTORS][FAR][0])}


def _choose_threshold() -> tuple[str, float]:
    left, right = st.columns([1, 2], gap="large", vertical_alignment="bottom")
    method = left.segmented_control(
        "Score", [VECTORS, WORDS], default=VECTORS, required=True, key="by", bind="query-params"
    )
    if method == VECTORS:
        return method, right.slider(
            "Answer only from a best cosine of …",
            0.1, 0.8, 0.42, 0.01, key="least_cosine", bind="query-params",
        )  # fmt: skip
    return method, right.slider(
        "Answer only from a best BM25 score of …",
        0.0, 40.0, 9.0, 0.5, key="least_score", bind="query-params",
    )  # fmt: skip


@own_part
def _draw_absent(
    scores: dict[str, dict[str, tuple[list[str], list[float]]]], encoded: Encoded, asked: Asked
) -> None:
    method, threshold = _choose_threshold()
    rows = scores[method]
    refused = {kind: sum(s < threshold for s in numbers) for kind, (_, numbers) in rows.items()}
    counts = {kind: len(texts) for kind, (texts, _) in rows.items()}
    found = encoded.searcher.search(asked.text, encoded.vector(asked.text))
    yours = float(found[method].max()) if method in found else None
    show_figure(
        absent_figure(
            {kind: numbers for kind, (_, numbers) in rows.items()},
            {kind: texts for kind, (texts, _) in rows.items()},
            threshold=threshold,
            name="best cosine" if method == VECTORS else "best BM25 score",
            yours=yours,
        ),
        key="absent",
        alt=f"At {threshold:g}, {refused[FAR]} of {counts[FAR]} questions from elsewhere and "
        f"{refused[NEAR]} of {counts[NEAR]} that only sound as if they belonged here are refused; "
        f"so are {refused[ANSWERED]} of the {counts[ANSWERED]} that do have an answer.",
        table=pd.DataFrame({"questions": counts, "refused": refused}).rename_axis("kind"),
    )
    if yours is not None:
        verdict = "would be answered" if yours >= threshold else "would be refused"
        st.markdown(f"Your question of above has {yours:.3g}: it **{verdict}**.")
    shown = sorted(
        (round(number, 3), text)
        for kind in (FAR, NEAR)
        for text, number in zip(*rows[kind], strict=True)
    )
    highest, text = shown[-1]
    show_code(
        key="absent",
        call=f"""{_SETUP}
absent = [question for question in load_questions() if not question.evidence]
best = {{
    q.text: float(searcher.search(q.text, shipped.questions[q.text])[{method!r}].max())
    for q in absent
}}
print(sum(score < {threshold} for score in best.values()))  # {refused[FAR] + refused[NEAR]}
print(round(best[{text!r}], 3))  # {highest}""",
    )
