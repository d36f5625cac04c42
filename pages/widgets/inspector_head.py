"""What a classifier's head says of a text, token by token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.widgets.code_viewer import show_code
from pages.widgets.inspector_reading import Sight
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.training import launcher

if TYPE_CHECKING:
    from llm_core.training.heads import Head

_LONGEST = 24  # characters of a label beside the picture


def show_verdicts(sight: Sight) -> None:
    """A row a label, a column a token: how probable the head finds the label after it."""
    from llm_core.finetuning.classification import verdicts
    from llm_core.training.heads import read_head

    run_id = sight.inspected.head_of
    head = read_head(launcher().store.run_folder(run_id))
    if head is None:
        return  # deleted just now
    shares = verdicts_of(sight.inspected.model, sight.key, run_id, head, sight.ids)
    matrix_heatmap(
        shares.T,
        key="verdicts",
        alt=_finding(shares, head.labels, sight.labels),
        rows=[_short(each) for each in head.labels],
        columns=list(sight.labels),
        row_name="label",
        column_name="after",
        role="prediction",
        limits=(0, 1),
    )
    show_code(
        verdicts,
        key="verdicts",
        call=f"""{sight.code}
from llm_core.finetuning.classification import verdicts
from llm_core.training.heads import read_head
from llm_core.training.runs import RunStore, data_folder

head = read_head(RunStore(data_folder()).run_folder({run_id!r}))
shares = verdicts(model, head.weight, ids.tolist())
print(head.labels[int(shares[-1].argmax())])  # {head.labels[int(shares[-1].argmax())]}""",
    )


@st.cache_data(max_entries=20, show_spinner=False)
def verdicts_of(
    _model: Any, model_key: str, run_id: str, _head: "Head", ids: Sequence[int]
) -> np.ndarray:
    """Return the head's probabilities after each token (T, K), computed once."""
    from llm_core.finetuning.classification import verdicts

    return verdicts(_model, _head.weight, ids).numpy()


def _finding(shares: np.ndarray, labels: Sequence[str], tokens: Sequence[str]) -> str:
    """Say what it says in the end, and since which token."""
    said = shares.argmax(axis=1)
    since = int(np.flatnonzero(said != said[-1])[-1]) + 1 if (said != said[-1]).any() else 0
    label = _short(labels[said[-1]])
    when = f"since “{tokens[since]}” (place {since + 1})" if since else "from the first token on"
    return f"In the end it says “{label}”, with {shares[-1].max():.1%}; that was in front {when}."


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
