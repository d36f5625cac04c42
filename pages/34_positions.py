"""How a model knows where a token stands: absolute and relative positions, seen and measured."""

from typing import Any

from llm_core.pretrained.position_runs import CONTEXT, LONGEST, load_experiment, mean_between
from pages.widgets.frame import open_lesson
from pages.widgets.positions_experiment import read_longer, see_learning
from pages.widgets.positions_order import shuffle_words
from pages.widgets.positions_relative import Line, read_line, show_added, show_shift
from pages.widgets.positions_rope import D_HEAD, choose_base, turn_arrows
from pages.widgets.positions_stretch import repair_t5, stretch_rope
from pages.widgets.positions_tables import show_ends, show_learned, show_waves


def shuffle() -> None:
    """The problem: a transformer without positions reads a bag of words."""
    if page.predict("shuffled", {}):
        shuffle_words()


def added() -> Line:
    """What every kind adds to the scores."""
    line = read_line()
    show_added(line)
    return line


def move(line: Line) -> None:
    """Move the text, and see whose scores stay."""
    if page.predict("moved_text", {}):
        show_shift(line)


def longer() -> None:
    """Read texts four times as long as in training."""
    if page.predict("longer_texts", {"trained": CONTEXT, "longest": LONGEST}):
        read_longer()


def settings() -> dict[str, Any]:
    """The values on screen that questions ask about."""
    experiment = load_experiment()
    alibi, rope = (experiment.run(name).by_place for name in ("alibi", "rope"))
    late = [mean_between(losses, LONGEST - CONTEXT, LONGEST) for losses in (alibi, rope)]
    heads = int(experiment.model["n_heads"])
    width = int(experiment.model["d_model"])
    learned = experiment.run("learned").parameters - experiment.run("none").parameters
    return {
        "trained": CONTEXT,
        "longest": LONGEST,
        "alibi_late": round(late[0] or 0.0, 2),
        "rope_late": round(late[1] or 0.0, 2),
        "heads": heads,
        "width": width,
        "d_head": D_HEAD,
        "table": learned,
        "table_per_head": learned // heads,
        "table_of_one": width,
        "distance": 7,
        "slope": 2 ** (-8 / heads),
        "bias": -7 * 2 ** (-8 / heads),
        "bias_wrong_sign": 7 * 2 ** (-8 / heads),
        "second_bias": -7 * 2 ** (-16 / heads),
        "angle": 30,
        "query_place": 9,
        "key_place": 4,
        "turned": 150,
        "sum_turned": 390,
        "query_turned": 270,
    }


page = open_lesson("positions")
page.show("shuffled", shuffle)
page.show("waves", show_waves)
page.show("learned", show_learned)
page.show("ends", show_ends)
line = page.show("added", added)
page.show("moved", move, line)
page.show("rope", turn_arrows)
page.show("base", choose_base)
page.show("longer", longer)
page.show("learning", see_learning)
page.show("repair", repair_t5)
page.show("stretch", stretch_rope)
page.close(settings())
