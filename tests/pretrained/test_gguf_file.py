"""Our reader against files that the gguf package wrote, and its own dequantisation."""

import gguf
import numpy as np
import pytest
import torch

from llm_core.pretrained.gguf_file import read_gguf

KINDS = gguf.GGMLQuantizationType


def write(path, tensors, *, alignment=None):
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_string("a.text", "Grüße, 世界")
    writer.add_bool("a.flag", True)
    writer.add_int8("a.small", -5)
    writer.add_uint64("a.large", 2**40)
    writer.add_float32("a.number", 0.5)
    writer.add_float64("a.double", 1e-300)
    writer.add_array("a.words", ["one", "zwei", "", "Ġthree"])
    writer.add_array("a.numbers", [3, -1, 7])
    for name, (array, kind) in tensors.items():
        packed = array if kind == KINDS.F32 else gguf.quantize(array, kind)
        writer.add_tensor(name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("alignment", [None, 128])
def test_facts_and_tensors_come_back(tmp_path, alignment):
    numbers = np.random.default_rng(0)
    arrays = {
        "plain": (numbers.normal(size=(3, 5)).astype(np.float32), KINDS.F32),
        "vector": (numbers.normal(size=7).astype(np.float32), KINDS.F32),
        "eight bits": (numbers.normal(size=(1500, 64)).astype(np.float32), KINDS.Q8_0),
        "four bits": (numbers.normal(size=(10, 96)).astype(np.float32), KINDS.Q4_1),
    }
    facts, tensors = read_gguf(write(tmp_path / "small.gguf", arrays, alignment=alignment))
    assert facts["general.architecture"] == "llama"
    assert facts["a.text"] == "Grüße, 世界"
    assert facts["a.flag"] is True
    assert (facts["a.small"], facts["a.large"]) == (-5, 2**40)
    assert (facts["a.number"], facts["a.double"]) == (0.5, 1e-300)
    assert facts["a.words"] == ["one", "zwei", "", "Ġthree"]
    assert facts["a.numbers"] == [3, -1, 7]
    assert set(tensors) == set(arrays)
    for name, (array, kind) in arrays.items():
        out = torch.empty(tensors[name].shape)
        tensors[name].read_into(out)
        expected = array if kind == KINDS.F32 else gguf.dequantize(gguf.quantize(array, kind), kind)
        assert np.array_equal(out.numpy(), expected)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.gguf"
    for content in (b"", b"PK\3\4 something else", b"GGUF\1\0\0\0"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no GGUF file"):
            read_gguf(path)
