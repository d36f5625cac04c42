import json

import pytest

from pages.widgets.progress import Progress, read_progress


def test_progress_survives_a_file():
    progress = Progress({"data_sampling": ["a", "b"]}, "data_sampling")
    assert read_progress(progress.to_json()) == progress
    assert read_progress(progress.to_json().encode()) == progress


def test_what_was_once_right_stays_right():
    mine = Progress({"data_sampling": ["a"]}, "data_sampling")
    mine.merge(Progress({"data_sampling": ["b", "a"], "tokenization": ["c"]}, "tokenization"))
    assert mine.right == {"data_sampling": ["a", "b"], "tokenization": ["c"]}
    assert mine.last == "data_sampling"


@pytest.mark.parametrize(
    "content", [None, 3, [], {}, {"right": 5}, "", "no json", b"\xff\xfe", json.dumps(["right"])]
)
def test_what_is_no_progress_is_refused(content):
    with pytest.raises(ValueError, match="holds no progress"):
        read_progress(content)


def test_what_somebody_changed_is_cut_down_to_what_makes_sense():
    content = {
        "right": {
            "data_sampling": ["a", "a", 7, None, "x" * 999, *map(str, range(500))],
            "no_such_lesson": ["a"],
            "tokenization": "a",
        },
        "last": "<script>",
    }
    progress = read_progress(content)
    assert set(progress.right) == {"data_sampling"}
    assert progress.right["data_sampling"][:2] == ["a", "0"]
    assert len(progress.right["data_sampling"]) == 64
    assert progress.last == ""
