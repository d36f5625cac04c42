"""A fine-tuning that has ended becomes a run of the visitor's: kept once, and linked."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.widgets.catalog import find_lesson
from pages.widgets.navigation import link_to
from pages.widgets.training import launcher, record_trouble
from pages.widgets.visitor import visitor

if TYPE_CHECKING:
    from llm_core.finetuning.trainings import ClassifierTraining, InstructionTraining


def keep_as_run(work: "ClassifierTraining | InstructionTraining", name: str, title: str) -> None:
    """Keep what a training has come to in the sandbox's store, and say where it is now.

    name: the training's, as in live_training. Silent if not one step was taken.
    """
    if not work.losses:
        return
    with record_trouble():
        kept: tuple[str, str] | None = st.session_state.get(f"_kept_{name}")
        training = st.session_state[f"_run_{name}"]
        if kept is None or kept[0] != training:
            try:
                kept = training, _keep(work, title)
            except (ValueError, OSError) as error:
                st.info(f"It could not be kept as a run of yours. {error}")
                return
            st.session_state[f"_kept_{name}"] = kept
        if launcher().store.get(kept[1]) is None:
            return  # deleted since
        with st.container(horizontal=True, vertical_alignment="center", key=f"kept_{name}"):
            st.caption("Kept as a run of yours:", width="content")
            link_to(find_lesson("training_sandbox"), "See it in the sandbox", run=kept[1])
            link_to(find_lesson("model_inspector"), "Look inside it", model=kept[1])


def offer_head(work: "ClassifierTraining") -> None:
    """Offer a head that was trained on SmolLM2: all that is new, so all there is to take away."""
    from llm_core.training.head_files import WEIGHTS

    if not work.losses:
        return
    head = work.head()
    st.caption(
        f"SmolLM2 is as it was: only {head.weight.numel():,} numbers are new, a row for each of "
        f"{', '.join(head.labels)}. Take them along, and use them like this:"
    )
    st.code(_USE_HEAD.format(labels=list(head.labels)), language="python")
    st.download_button(
        f"Download the head ({head.weight.numel() * 4 / 1000:.0f} kB)",
        head.to_files()[WEIGHTS],
        WEIGHTS,
        icon=":material/download:",
        on_click="ignore",
    )


_USE_HEAD = """from safetensors.torch import load_file

from llm_core.finetuning.classification import sort_text
from llm_core.pretrained.registry import load

weight = load_file("head.safetensors")["score.weight"]
shares = sort_text(*load("smollm2"), weight, "A text of yours.")
print(dict(zip({labels}, shares)))"""


def _keep(work: "ClassifierTraining | InstructionTraining", title: str) -> str:
    from llm_core.finetuning.keeping import keep_tuned

    me = visitor()
    launcher().require_room(me)
    return keep_tuned(launcher().store, work.result(title), owner=me).id
