"""Groups of vectors, measured against scikit-learn and against chance."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import LeaveOneOut
from sklearn.neighbors import KNeighborsClassifier

from llm_core.inspection.groups import chance_alike, measure_groups


def test_groups_are_what_loops_and_a_classifier_say():
    draw = np.random.default_rng(0)
    groups = [*"aaaabbbbbccc"]
    centers = {"a": [2, 0, 0, 0], "b": [0, 2, 0, 0], "c": [0, 0, 1, 0]}
    vectors = np.array([draw.normal(size=4) + centers[name] for name in groups])
    cosines = cosine_similarity(vectors)
    pairs = [(i, j) for i in range(12) for j in range(12) if i != j]
    found = measure_groups(vectors, groups)
    for same, value in ((True, found.within), (False, found.between)):
        chosen = [cosines[i, j] for i, j in pairs if (groups[i] == groups[j]) is same]
        assert value == pytest.approx(np.mean(chosen))
    hits = [
        KNeighborsClassifier(1, metric="cosine")
        .fit(vectors[train], np.array(groups)[train])
        .predict(vectors[test])[0]
        == groups[test[0]]
        for train, test in LeaveOneOut().split(vectors)
    ]
    assert found.alike == pytest.approx(np.mean(hits))
    assert 0 < found.alike < 1


def test_vectors_that_know_nothing_are_as_alike_as_chance():
    draw = np.random.default_rng(1)
    groups = ["large"] * 12 + ["small"] * 4 + ["pair"] * 2
    seen = [measure_groups(draw.normal(size=(18, 6)), groups).alike for _ in range(400)]
    assert np.mean(seen) == pytest.approx(chance_alike(groups), abs=0.02)


@pytest.mark.parametrize("groups", [[*"aabb"], [*"aaaaa"], [*"aaaab"]])
def test_what_cannot_be_compared_is_refused(groups):
    with pytest.raises(ValueError, match=r"need as many groups|two groups with two members"):
        measure_groups(np.ones((5, 3)), groups)
