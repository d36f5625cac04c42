"""The picture of windows on a text: every bar is a window, every height a count."""

import numpy as np
import pytest

from llm_core.data.windows import sliding_windows
from pages.figures.windows import MOST_ROWS, windows_alt_text, windows_figure


@pytest.mark.parametrize(
    ("count", "context", "stride"), [(30, 8, 4), (30, 8, 11), (9, 8, 1), (200, 3, 1)]
)
def test_the_picture_holds_the_windows(count, context, stride):
    windows = sliding_windows(np.arange(count), context, stride)
    starts, coverage = windows.starts.tolist(), windows.coverage.tolist()
    figure = windows_figure(starts, context, coverage, chosen=len(windows) - 1)
    bars = figure.data[0]
    rows = min(len(windows), MOST_ROWS)
    assert [left + 0.5 for left in bars.base] == windows.inputs[:rows, 0].tolist()
    assert {*bars.x} == {context}
    assert list(bars.marker.opacity).count(1.0) == (len(windows) <= MOST_ROWS)
    reads = next(trace for trace in figure.data if trace.yaxis == "y2")
    counted = np.bincount(windows.inputs.flatten(), minlength=count)
    assert list(reads.y) == counted.tolist()
    unread = figure.data[-1]
    assert list(unread.x) == np.flatnonzero(counted == 0).tolist()
    if len(windows) <= MOST_ROWS:
        assert figure.data[1].x == (windows.targets[-1, -1],)


def test_the_sentence_says_what_is_repeated_and_what_is_skipped():
    apart = sliding_windows(np.arange(30), 8, 11)
    sentence = windows_alt_text(len(apart), 8, 11, apart.coverage.tolist())
    assert sentence == (
        "2 windows of 8 tokens, 11 apart; neighbours share 0 tokens. "
        "16 tokens are read once, and 14 never, among them the last one, which is only an answer."
    )
    close = sliding_windows(np.arange(30), 8, 4)
    assert "share 4 tokens. 28 tokens are read 1 to 2 times, and 2 never" in windows_alt_text(
        len(close), 8, 4, close.coverage.tolist()
    )
