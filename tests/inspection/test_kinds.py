import pytest

from llm_core.inspection.kinds import ANSWER, try_kind


@pytest.mark.parametrize("length", [1, 2, 7])
def test_who_may_look_at_the_last_token_is_moved_by_it(length):
    encoder, decoder, both = (
        try_kind(kind, length) for kind in ("encoder", "decoder", "encoder-decoder")
    )
    assert encoder.moved == (True,) * length
    assert decoder.moved == (False,) * (length - 1) + (True,)
    assert both.moved == (True,) * ANSWER
    assert (encoder.shape, decoder.shape, both.shape) == ((length, 32), (length, 50), (ANSWER, 50))


def test_the_same_comes_out_each_time():
    assert try_kind("encoder", 4) == try_kind("encoder", 4)


@pytest.mark.parametrize(("kind", "length"), [("other", 3), ("decoder", 0)])
def test_what_cannot_be_tried_is_refused(kind, length):
    with pytest.raises(ValueError, match="no kind 'other'|empty text"):
        try_kind(kind, length)
