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
    """One page: its number, its slug (also its address), its title and one sentence about it.

    `needs` are the slugs of the lessons that it builds on.
    """

    number: str
    slug: str
    title: str
    summary: str
    icon: str
    minutes: int = 0
    needs: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """Name of the lesson's files without ending."""
        return f"{self.number}_{self.slug}"

    @property
    def path(self) -> Path:
        """The lesson's page."""
        return PAGES / f"{self.stem}.py"

    @property
    def is_taught(self) -> bool:
        """Is it a lesson to go through, rather than a tool or a reference?"""
        return self.number[0] in "1234"

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
        20,
    ),
    Lesson(
        "12",
        "pretraining_and_finetuning",
        "Pretraining and fine-tuning",
        "First learn language from everything, then one task from a little.",
        "school",
        25,
        ("what_is_an_llm",),
    ),
    Lesson(
        "13",
        "knowledge_retrieval",
        "Finding knowledge",
        "Let a model answer from texts that it was never trained on.",
        "search",
        25,
        ("what_is_an_llm",),
    ),
    Lesson(
        "21",
        "architecture",
        "Architecture",
        "The whole machine, part by part, with its sizes.",
        "account_tree",
        25,
        ("what_is_an_llm",),
    ),
    Lesson(
        "22",
        "self_attention",
        "Self-attention",
        "How every token gathers what it needs from the others.",
        "hub",
        35,
        ("architecture",),
    ),
    Lesson(
        "23",
        "encoder_decoder",
        "Encoder and decoder",
        "Who may look at whom, and what each kind of model is good for.",
        "compare_arrows",
        25,
        ("self_attention",),
    ),
    Lesson(
        "31",
        "tokenization",
        "Tokenization",
        "Cut text into tokens with byte pair encoding, and watch it learn to.",
        "content_cut",
        25,
    ),
    Lesson(
        "32",
        "data_sampling",
        "Data sampling",
        "Slide a window over a text, and get questions with their answers.",
        "view_column",
        20,
        ("tokenization",),
    ),
    Lesson(
        "33",
        "embeddings",
        "Embeddings",
        "Turn token numbers into vectors that come to mean something.",
        "scatter_plot",
        35,
        ("tokenization",),
    ),
    Lesson(
        "34",
        "positions",
        "Positions",
        "Tell a model where a token stands.",
        "format_list_numbered",
        30,
        ("embeddings", "self_attention"),
    ),
    Lesson(
        "41",
        "sampling",
        "Sampling",
        "From a distribution over tokens to a sentence.",
        "casino",
        25,
        ("what_is_an_llm",),
    ),
    Lesson(
        "51",
        "training_sandbox",
        "Training sandbox",
        "Train a real GPT on real text, and watch it learn.",
        "model_training",
        15,
    ),
    Lesson(
        "52",
        "model_inspector",
        "Model inspector",
        "Look inside a model that you trained.",
        "biotech",
        20,
        ("training_sandbox",),
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


def lessons_of_part(lesson: Lesson) -> list[Lesson]:
    """Return the written lessons of the same part of the course, in order."""
    return [other for other in written_lessons() if other.part == lesson.part]


def next_lesson(lesson: Lesson) -> Lesson | None:
    """Return the written lesson after this one, or None after the last."""
    following = [other for other in written_lessons() if lesson.number < other.number < "6"]
    return following[0] if following else None


def first_lesson() -> Lesson | None:
    """Return the first lesson to take, or None as long as none is written."""
    taught = [lesson for lesson in written_lessons() if lesson.is_taught]
    return taught[0] if taught else None
