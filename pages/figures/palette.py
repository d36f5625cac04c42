"""One colour for one role, on every page of the course.

Every colour has a contrast of at least 3:1 on the backgrounds of both themes, so that one constant
serves light and dark. Roles that appear in one picture stay apart for colour-blind readers too
(the tests compute both); still, a label, a shape or a dash stands beside the colour everywhere.
"""

from typing import Final

QUERY: Final = "#1F86F0"  # blue: what a token looks for
KEY: Final = "#D9390A"  # orange: what a token offers to be found by
VALUE: Final = "#11802F"  # green: what a token hands over
ATTENTION: Final = "#9542D6"  # purple: scores and weights
PREDICTION: Final = "#EE2F9A"  # pink: what the model says comes next
TARGET: Final = PREDICTION  # what does come next: the same thing from the other side
TRAIN: Final = "#08949A"  # teal: measured on text that the model learns from
VALIDATION: Final = "#B38000"  # amber: measured on text that it has never seen

NEUTRAL: Final = "#718096"  # no role: reference lines, axes, what merely stands by

ROLES: Final[dict[str, str]] = {
    "query": QUERY,
    "key": KEY,
    "value": VALUE,
    "attention": ATTENTION,
    "prediction": PREDICTION,
    "train": TRAIN,
    "validation": VALIDATION,
}
