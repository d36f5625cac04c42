"""The tales are correct English by rules that can be checked, varied, and the same everywhere."""

import hashlib
import itertools
import os
import re
import subprocess
import sys
import time
from collections import Counter
from random import Random

import pytest

from llm_core.data import tiny_tales_words as words
from llm_core.data.tiny_tales import PLOTS, iter_tales, tiny_tales

GIRLS = """Ada Anna Bea Clara Dora Ella Emma Ida Iris Lena Lily Lucy Mia Nina Nora Rosa Sara
Zoe""".split()
BOYS = (
    """Adam Ben Carl Dan Emil Finn Gus Hugo Ivan Jack Karl Leo Max Ned Otto Paul Sam Tom""".split()
)
MALE_KIN = {"father", "uncle", "brother", "grandfather"}
FEMALE_KIN = {"mother", "aunt", "sister", "grandmother"}


@pytest.fixture(scope="module")
def tales() -> list[str]:
    return list(itertools.islice(iter_tales(seed=2024), 5000))


@pytest.fixture(scope="module")
def text() -> str:
    return tiny_tales()


def sentences(tale: str) -> list[str]:
    return re.split(r'(?<=[.!?]) (?=["A-Z])|(?<=[.!?]") (?=["A-Z])', tale)


def hero_of(tale: str) -> str:
    """The name that stands first in a tale is the hero's."""
    return re.findall(r"\b(?:" + "|".join(GIRLS + BOYS) + r")\b", tale)[0]


def known_words() -> set[str]:
    """Every word of the tables and plots, read from them without their grammar."""
    tables = [value for name, value in vars(words).items() if name.isupper()]
    raw = " ".join([repr(tables), *PLOTS.values()])
    raw = re.sub(r"\{\w+\}('s)?", " ", raw).replace("\\n", " ")
    raw = re.sub(r"\b([a-z]+(?:_[a-z]+)+|[a-z]+\d)\b", " ", raw)
    return (
        {word.lower() for word in re.findall(r"[A-Za-z]+", raw)}
        | {"an"}
        | set("she her hers he him his girl boy".split())
    )


def test_five_thousand_tales_are_all_different(tales) -> None:
    assert len(set(tales)) == 5000
    all_sentences = [sentence for tale in tales for sentence in sentences(tale)]
    assert len(set(all_sentences)) > 0.9 * len(all_sentences)


def test_few_validation_sentences_stand_in_the_training_part(text) -> None:
    cut = int(len(text) * 0.9)
    seen = {each for tale in text[:cut].split("\n\n") for each in sentences(tale)}
    later = [each for tale in text[cut:].strip().split("\n\n")[1:] for each in sentences(tale)]
    assert len(later) > 3000
    repeated = sum(each in seen for each in later) / len(later)
    assert repeated < 0.15


def test_characters_and_words_come_from_a_small_fixed_stock(tales) -> None:
    characters = Counter("".join(tales))
    assert set(characters) <= set(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?'\"")
    assert 50 <= len(characters) + 1 <= 60  # and the newline between tales
    used = {word.lower() for word in re.findall("[A-Za-z]+", " ".join(tales))} - {"s"}
    assert used <= known_words()
    assert 400 <= len(used) <= 900
    assert min(characters.values()) > 20  # a character that hardly occurs cannot be learnt


def test_every_sentence_is_well_formed(tales) -> None:
    for tale in tales:
        assert not re.search(r"[{}<>|/\n_]|  | [.,!?]|[.,!?][A-Za-z]|\?\.|!\.|,,", tale), tale
        assert tale.count('"') % 2 == 0, tale
        parts = sentences(tale)
        assert 5 <= len(parts) <= 9, tale
        for sentence in parts:
            assert re.match(r'"?[A-Z]', sentence), sentence
            assert re.search(r'[.!?]"?\Z', sentence), sentence
            assert 4 <= len(sentence.split()) <= 20, sentence
            # Inside a sentence only names, I and the start of what is said are capital.
            for word in re.findall(r"(?<=[a-z,] )[A-Z]\w*", sentence):
                assert word in {*GIRLS, *BOYS, "I"}, sentence
    lengths = [len(sentence.split()) for tale in tales for sentence in sentences(tale)]
    assert sum(5 <= length <= 13 for length in lengths) > 0.9 * len(lengths)


def test_a_and_an_agree_with_the_next_word(tales) -> None:
    # Spelling decides, but for words like these: none may come into the stock unnoticed.
    spoken_otherwise = re.compile(r"(hour|honest|honour|heir|one|once|uni|use|usu|eu|ew)")
    found = Counter()
    for tale in tales:
        for article, word in re.findall(r"\b(a|an|A|An) ([A-Za-z]+)", tale):
            assert not spoken_otherwise.match(word), (article, word)
            assert (article.lower() == "an") == (word[0].lower() in "aeiou"), (article, word)
            found[article] += 1
    assert set(found) == {"a", "an", "A", "An"}


def test_pronouns_agree_with_the_heros_name(tales) -> None:
    family = re.compile(r"\b(her|his) (\w+)", re.IGNORECASE)
    checked = Counter()
    for tale in tales:
        girl = hero_of(tale) in GIRLS
        for owner, kin in family.findall(tale):
            if kin in MALE_KIN | FEMALE_KIN:
                assert owner.lower() == ("her" if girl else "his"), tale
                assert kin in (MALE_KIN if girl else FEMALE_KIN), tale
                checked["kin"] += 1
        own_half = re.search(r"gave the \w+ \w+ half of (her|his) ", tale)
        if own_half:
            assert own_half[1] == ("her" if girl else "his"), tale
            checked["own"] += 1
        gave_pal = re.search(r"thanked the \w+ \w+ and gave (him|her) ", tale)
        if gave_pal:
            assert gave_pal[1] == ("him" if girl else "her"), tale
            checked["pal"] += 1
        if "boy named" in tale or "girl named" in tale:
            assert ("girl named" in tale) == girl, tale
            checked["child"] += 1
    assert all(checked[what] > 50 for what in ("kin", "own", "pal", "child")), checked


def test_nobody_new_turns_up_and_friends_are_of_opposite_sex(tales) -> None:
    names = re.compile(r"\b(?:" + "|".join(GIRLS + BOYS) + r")\b")
    pairs = 0
    for tale in tales:
        cast = set(names.findall(tale))
        if re.search("friends who lived|two friends", tale):
            pairs += 1
            assert len(cast) == 2, tale
            assert len(cast & set(GIRLS)) == 1, tale
        else:
            assert len(cast) == 1, tale
        assert hero_of(tale) in " ".join(sentences(tale)[-3:]), tale
    assert pairs > 500


def test_one_helper_one_goal_and_one_thing_run_through_a_tale(tales) -> None:
    helpers = re.compile(rf"\b(?:{'|'.join(words.HELPER_TRAITS)}) (?:{_kinds()})\b")
    goals = re.compile("|".join(map(re.escape, words.GOALS)))
    journeys = 0
    for tale in tales:
        later = " ".join(sentences(tale)[1:])
        assert len(set(helpers.findall(later))) <= 1, tale
        assert len(set(goals.findall(later))) <= 1, tale
        wish = re.search(r"wanted to see (the [a-z ]+)\.", tale)
        if wish:
            journeys += 1
            assert tale.count(wish[1]) >= 3, tale  # wished for, sought and reached
        lost = re.search(r"I have lost my ([a-z ]+),", tale)
        if lost:
            had = re.search(rf"(?:given \w+ a|had a|loved h\w+) {lost[1]}\b", tale)
            assert had, tale
            assert len(re.findall(rf"\b{lost[1].split()[-1]}\b", tale)) >= 4, tale
    assert journeys > 100


def _kinds() -> str:
    return "|".join(words.ANIMALS + words.WORKERS)


def test_every_plot_is_told_and_every_slot_is_known(tales) -> None:
    assert len(PLOTS) >= 8
    slots = {slot for plot in PLOTS.values() for slot in re.findall(r"\{(\w+)\}", plot)}
    cast = words.draw_cast(Random(0))
    assert slots <= set(cast) | set(words.FRESH)
    marks = ["lost my", "half of", "door", "ill", "afraid", "run to", "sorry", "set out", "knock"]
    for mark in marks:
        assert sum(mark in tale for tale in tales) > 100, mark


def test_the_text_is_long_enough_whole_and_its_prefix_is_stable(text) -> None:
    assert text == tiny_tales()
    first = next(iter_tales())
    assert tiny_tales(characters=1) == first + "\n"
    assert tiny_tales(characters=len(first) + 1) == first + "\n"
    assert len(tiny_tales(characters=len(first) + 2)) > len(first) + 2
    for characters in (1_000, 50_000):
        short = tiny_tales(characters)
        assert characters <= len(short) < characters + 1_000
        assert text.startswith(short.removesuffix("\n") + "\n\n")
    assert tiny_tales(10_000, seed=1) != tiny_tales(10_000, seed=2)
    with pytest.raises(ValueError, match="at least 1"):
        tiny_tales(0)


def test_another_process_tells_the_same_tales() -> None:
    code = (
        "import hashlib; from llm_core.data.tiny_tales import tiny_tales;"
        "print(hashlib.sha256(tiny_tales(200_000, seed=7).encode()).hexdigest())"
    )
    expected = hashlib.sha256(tiny_tales(200_000, seed=7).encode()).hexdigest()
    for hash_seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


def test_two_megabytes_take_about_a_second() -> None:
    started = time.process_time()
    tiny_tales()
    assert time.process_time() - started < 4  # 0.3 s on an idle laptop core
