"""The course in order: its parts and lessons. No Streamlit here."""

from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parents[1]

# The first digit of a lesson's number is the part of the course it belongs to.
PARTS = {
    "0": "",
    "1": "Foundations",
    "2": "The transformer",
    "3": "Working with text",
    "4": "Generating",
    "5": "The sandbox",
    "6": "Reference",
}


@dataclass(frozen=True)
class Lesson:
    """One page: its number, its slug (also its address), its title and one sentence about it."""

    number: str
    slug: str
    title: str
    summary: str
    icon: str

    @property
    def stem(self) -> str:
        """Name of the lesson's files without ending."""
        return f"{self.number}_{self.slug}"

    @property
    def path(self) -> Path:
        """The lesson's page."""
        return PAGES / f"{self.stem}.py"

    @property
    def part(self) -> str:
        """Title of the part of the course."""
        return PARTS[self.number[0]]


COURSE = (
    Lesson("00", "home", "Home", "Where the course starts.", "home"),
    Lesson(
        "11",
        "what_is_an_llm",
        "What is an LLM?",
        "A machine that predicts the next token, and what follows from that.",
        "psychology",
    ),
    Lesson(
        "12",
        "pretraining_and_finetuning",
        "Pretraining and fine-tuning",
        "First learn language from everything, then one task from a little.",
        "school",
    ),
    Lesson(
        "13",
        "knowledge_retrieval",
        "Finding knowledge",
        "Let a model answer from texts that it was never trained on.",
        "search",
    ),
    Lesson(
        "21",
        "architecture",
        "Architecture",
        "The whole machine, part by part, with its sizes.",
        "account_tree",
    ),
    Lesson(
        "22",
        "self_attention",
        "Self-attention",
        "How every token gathers what it needs from the others.",
        "hub",
    ),
    Lesson(
        "23",
        "encoder_decoder",
        "Encoder and decoder",
        "Who may look at whom, and what each kind of model is good for.",
        "compare_arrows",
    ),
    Lesson(
        "31",
        "tokenization",
        "Tokenization",
        "Cut text into tokens with byte pair encoding, and watch it learn to.",
        "content_cut",
    ),
    Lesson(
        "32",
        "data_sampling",
        "Data sampling",
        "Slide a window over a text, and get questions with their answers.",
        "view_column",
    ),
    Lesson(
        "33",
        "embeddings",
        "Embeddings",
        "Turn token numbers into vectors that come to mean something.",
        "scatter_plot",
    ),
    Lesson(
        "34",
        "positions",
        "Positions",
        "Tell a model where a token stands.",
        "format_list_numbered",
    ),
    Lesson(
        "41",
        "sampling",
        "Sampling",
        "From a distribution over tokens to a sentence.",
        "casino",
    ),
    Lesson(
        "51",
        "training_sandbox",
        "Training sandbox",
        "Train a real GPT on real text, and watch it learn.",
        "model_training",
    ),
    Lesson(
        "52",
        "model_inspector",
        "Model inspector",
        "Look inside a model that you trained.",
        "biotech",
    ),
    Lesson("61", "glossary", "Glossary", "Every term in a sentence or two.", "menu_book"),
)


def written_lessons() -> tuple[Lesson, ...]:
    """Return the lessons whose page exists, in the course's order."""
    return tuple(lesson for lesson in COURSE if lesson.path.exists())


def find_lesson(slug: str) -> Lesson:
    """Return the lesson of that slug; raise ValueError if there is none."""
    for lesson in COURSE:
        if lesson.slug == slug:
            return lesson
    raise ValueError(f"There is no lesson {slug!r}.")


def first_lesson() -> Lesson | None:
    """Return the first lesson to take, or None as long as none is written."""
    taught = [lesson for lesson in written_lessons() if lesson.number[0] in "1234"]
    return taught[0] if taught else None
