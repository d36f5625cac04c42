import pytest

from llm_core.tokenizers.bpe import train_bpe
from pages.widgets import carried_tokenizer
from pages.widgets.carried_tokenizer import kept_tokenizer, store_tokenizer, tokenizer_file


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    return tmp_path


def test_a_kept_tokenizer_cuts_as_before():
    tokenizer = train_bpe("low lower lowest newest widest", 270)
    name = store_tokenizer(tokenizer)
    assert store_tokenizer(tokenizer) == name
    assert kept_tokenizer(name).encode("slowest") == tokenizer.encode("slowest")
    assert store_tokenizer(train_bpe("other other", 258)) != name


@pytest.mark.parametrize("name", ["", "0" * 16, "../../etc/passwd", "0" * 15, "G" * 16])
def test_another_name_gets_a_sentence(name):
    with pytest.raises(ValueError, match="train it again"):
        tokenizer_file(name)


def test_the_folder_does_not_grow_for_ever(own_folder, monkeypatch):
    monkeypatch.setattr(carried_tokenizer, "_MOST", 3)
    names = [store_tokenizer(train_bpe("abababab" * n, 257 + n)) for n in range(1, 6)]
    assert len(list((own_folder / "tokenizers").glob("*.json"))) <= 3
    assert kept_tokenizer(names[-1])
