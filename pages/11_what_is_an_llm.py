"""What a language model is: a guesser of the next token, and what follows from that."""

import math
from typing import Any

import numpy as np

from llm_core.data.published_models import compute_optimal, published_models
from llm_core.pretrained.tiny import snapshots
from pages.widgets.frame import open_lesson
from pages.widgets.llm_game import play
from pages.widgets.llm_labels import count_labels
from pages.widgets.llm_loop import write_slowly
from pages.widgets.llm_ngrams import compare_models, measured
from pages.widgets.llm_private import list_connections
from pages.widgets.llm_scale import our_model, show_scale
from pages.widgets.llm_secret import plant_a_secret
from pages.widgets.llm_special import compare_readers
from pages.widgets.llm_tasks import put_tasks


def longer_runs() -> None:
    """Counted models and the GPT, once it was guessed what longer runs bring."""
    if page.predict("longer_runs", {}):
        compare_models()


def remembered() -> None:
    """The planted secret, once it was guessed whether it comes out."""
    if page.predict("told_once", {}):
        plant_a_secret()


def settings() -> dict[str, Any]:
    """The values on screen that questions ask about."""
    gpt3 = next(model for model in published_models() if model.name == "GPT-3")
    _, tokens = compute_optimal(gpt3.flops)
    ours = our_model()
    held_out = measured()["held-out"].tolist()
    return {
        "gpt3_tokens": gpt3.tokens / 1e9,
        "gpt3_parameters": gpt3.parameters / 1e9,
        "gpt3_ratio": round(gpt3.tokens_a_parameter, 2),
        "gpt3_inverse": round(1 / gpt3.tokens_a_parameter, 2),
        "gpt3_best_tokens": tokens / 1e9,
        "our_ratio": round(ours.tokens_a_parameter, 1),
        "trigram": round(held_out[2], 2),
        "gpt": round(math.exp(snapshots()[-1].validation_loss), 2),
        "gpt_bits": round(snapshots()[-1].validation_loss / math.log(2), 2),
        "gpt_nats": round(snapshots()[-1].validation_loss, 2),
        "best_order": int(np.argmin(held_out)) + 1,
        "sure_bits": 3.0,
        "chance_bits": 0.125,
        "one_bit": 1.0,
    }


page = open_lesson("what_is_an_llm")
page.show("game", play)
page.show("loop", write_slowly)
page.show("tasks", put_tasks)
page.show("labels", count_labels)
page.show("large", show_scale)
page.show("ngrams", longer_runs)
page.show("special", compare_readers)
page.show("private", list_connections)
page.show("secret", remembered)
page.close(settings())
