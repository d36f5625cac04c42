import re

from pages.widgets.window_tables import example_list, pair_table

LABELS, IDS = ["<b>", "·sat", "·on", "·the"], [7, 3, 5, 4]


def cells(row):
    return re.findall(r"<b>(.*?)</b><br><small>(\d+)</small>", row)


def test_targets_stand_one_place_further_on():
    inputs, targets = pair_table(LABELS, IDS).split("</tr>")[:2]
    assert cells(inputs) == [("&lt;b&gt;", "7"), ("·sat", "3"), ("·on", "5")]
    assert cells(targets) == [("·sat", "3"), ("·on", "5"), ("·the", "4")]


def test_a_window_of_three_holds_three_examples():
    text = re.sub(r"</li>", "\n", example_list(LABELS))
    lines = re.sub(r"<[^>]*>", "", text).strip().splitlines()
    assert lines == ["&lt;b&gt; → ·sat", "&lt;b&gt; ·sat → ·on", "&lt;b&gt; ·sat ·on → ·the"]
