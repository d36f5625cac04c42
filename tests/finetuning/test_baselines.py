import pytest

from llm_core.data.labelled_texts import Labelled, LabelledTexts, make_texts
from llm_core.finetuning.baselines import counted_words, majority


@pytest.mark.parametrize("name", ["letters", "plots", "who"])
@pytest.mark.parametrize("count", [30, 150])
def test_counted_words_say_what_scikit_learn_says(name, count):
    feature = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.linear_model")
    texts = make_texts(name, train=count, test=120)
    vectorizer = feature.TfidfVectorizer()
    x = vectorizer.fit_transform([each.text for each in texts.train])
    y = [each.label for each in texts.train]
    theirs = linear.LogisticRegression(tol=1e-8, max_iter=2000).fit(x, y)
    unseen = vectorizer.transform([each.text for each in texts.test])
    said = theirs.predict(unseen).tolist()
    ours = counted_words(texts)
    sure = theirs.predict_proba(unseen)
    for place, (a, b) in enumerate(zip(ours.said, said, strict=True)):
        assert a == b or abs(sure[place][a] - sure[place][b]) < 1e-4
    assert ours.accuracy == pytest.approx(
        theirs.score(unseen, [e.label for e in texts.test]), abs=0.01
    )


def test_the_majority_is_the_commonest_label_of_training():
    train = tuple(Labelled(str(n), n % 3 // 2) for n in range(9))  # label 0 twice as often
    test = tuple(Labelled(str(n), int(n < 3)) for n in range(10))
    found = majority(LabelledTexts("t", ("a", "b"), train, test))
    assert set(found.said) == {0}
    assert found.accuracy == pytest.approx(0.7)


def test_texts_without_a_word_fall_back_to_the_majority():
    train = tuple(Labelled("!?" + "." * n, n % 2) for n in range(6))
    texts = LabelledTexts("t", ("a", "b"), train, train)
    assert counted_words(texts) == majority(texts)
