import csv
import io
import json
import random
import shutil
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers

from llm_core.training.archive import pack_run
from llm_core.training.checkpoint_index import latest_checkpoint, read_files
from llm_core.training.checkpoints import load_newest, load_newest_model
from llm_core.training.curves import Curves
from llm_core.training.events import (
    AnswerEvent,
    EvalEvent,
    LayerEvent,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.limits import Limits
from llm_core.training.loop import train
from llm_core.training.points import Point
from llm_core.training.recipes import RECIPES
from llm_core.training.runs import RunState, RunStore
from llm_core.training.tensorboard import write_events
from llm_core.training.unpacking import bring_run, place_run, unpack_run

ROOT = Path(__file__).parents[2]
LIMITS = Limits(workers=1, max_upload_mb=10)
FACTS = StartEvent(0, 20, 3000, 900, 100, 3.0, 2.0, "cpu")
CURVES = Curves(
    [Point(1, 3.0, 0.1, 1.0, 500.0, 0.1), Point(5, 2.5, 0.2, 0.9, 510.5, 0.7)],
    [EvalEvent(0, 3.1, 99), EvalEvent(5, 2.6, 99)],
    [SampleEvent(5, "the", ' "cat",\n\r\n sat; süß ')],
)


@pytest.fixture
def folder(tiny_run, tmp_path):
    """A run of 30 steps, of which 20 are done."""
    events = train(tiny_run(), out=tmp_path / "run")
    for event in events:
        if isinstance(event, StepEvent) and event.step == 20:
            break
    events.close()
    return tmp_path / "run"


@pytest.fixture
def packed(folder):
    return pack_run(folder, title="A run", curves=CURVES, facts=FACTS)


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_from(files, **options):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_a_run_comes_back_as_it_was_and_goes_on_to_the_same_end(packed, folder, tiny_run, tmp_path):
    run = unpack_run(packed, LIMITS)
    assert (run.title, run.facts, run.curves) == ("A run", FACTS, CURVES)
    shutil.rmtree(folder)
    store = RunStore(tmp_path / "data")
    brought = bring_run(run, store, owner="me")
    assert (brought.state, brought.step) == (RunState.STOPPED, 20)
    assert store.curves(brought.id) == CURVES
    assert store.get(brought.id) == brought
    home = store.run_folder(brought.id)
    assert Path(brought.config.text_path).is_relative_to(home.resolve())
    rest = [e.loss for e in train(tiny_run(), resume=home) if isinstance(e, StepEvent)]
    whole = [e.loss for e in train(tiny_run(), out=tmp_path / "w") if isinstance(e, StepEvent)]
    assert rest == whole[20:]
    ours, theirs = (read_files(latest_checkpoint(each))[0] for each in (home, tmp_path / "w"))
    assert ours["weights.safetensors"] == theirs["weights.safetensors"]


@pytest.mark.parametrize("recipe", ["classic", "modern"])
def test_transformers_opens_it_with_the_same_logits_and_ids(tiny_run, tmp_path, recipe):
    list(train(tiny_run(steps=3, recipe=RECIPES[recipe]), out=tmp_path / "run"))
    data = pack_run(tmp_path / "run", title="x", curves=CURVES)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path / "out")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "transformers")
    ours, tokenizer = load_newest_model(tmp_path / "run")
    ids = torch.tensor([tokenizer.encode("the cat")])
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, ours(ids).logits, atol=1e-5, rtol=1e-4)
    file = tmp_path / "out" / "transformers" / "tokenizer.json"
    fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(file))
    text = "the dog\nsat on a cat."
    assert fast(text)["input_ids"] == tokenizer.encode(text)
    assert fast.decode(tokenizer.encode(text)) == text


def test_the_card_tells_the_command_that_gives_the_same_losses(folder, packed, tmp_path):
    files = entries(packed)
    card = files["README.md"].decode()
    command = next(line for line in card.splitlines() if "--text" in line).split()
    assert command[:3] == ["python", "-m", "llm_core.training"]
    (tmp_path / "text.txt").write_bytes(files["text.txt"])
    options = [str(tmp_path / part) if part in ("text.txt", "my_run") else part for part in command]
    result = subprocess.run(
        [sys.executable, *options[1:], "--device", "cpu"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    state = load_newest(tmp_path / "my_run")
    assert state.step == 30
    list(train(state.config, resume=folder))
    for name in ("weights.safetensors", "optimizer.safetensors"):
        paths = [latest_checkpoint(each) / name for each in (folder, tmp_path / "my_run")]
        assert paths[0].read_bytes() == paths[1].read_bytes()
    assert "2.6000 after 5 steps" in card


def test_csv_tables_are_what_other_programs_read(packed):
    table = entries(packed)["curves/samples.csv"].decode()
    assert next(csv.DictReader(io.StringIO(table, newline="")))["text"] == CURVES.samples[0].text
    assert Curves.from_csv(CURVES.to_csv()) == CURVES


@pytest.mark.parametrize(
    "table",
    [
        "step\n1",
        "step,loss,tokens\nx,1,2",
        "step,loss,tokens\n1,nan,2",
        "step,loss,tokens\n2,1\n",
        "step,loss,tokens\n2,1,1\n2,1,1",
        "step,loss,tokens\n-2,1,1",
        "\0",
    ],
)
def test_bad_tables_are_refused(table):
    with pytest.raises(ValueError, match="no table"):
        Curves.from_csv({"evaluations.csv": table})


def change(name, make):
    def changed(files):
        files[name] = make(files[name])
        return files

    return changed


def with_config(**changes):
    """Change the config and sign the checkpoint anew, as somebody with this source could."""

    def changed(files):
        config = json.loads(files["checkpoint/config.json"])
        config |= changes
        files["checkpoint/config.json"] = json.dumps(config).encode()
        return resigned(files)

    return changed


def resigned(files):
    import hashlib

    state = json.loads(files["checkpoint/state.json"])
    del state["sha256"]
    for name in state["files"]:
        state["files"][name] = hashlib.sha256(files[f"checkpoint/{name}"]).hexdigest()
    state["sha256"] = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    files["checkpoint/state.json"] = json.dumps(state).encode()
    return files


def with_facts(**changes):
    def changed(files):
        state = json.loads(files["checkpoint/state.json"]) | changes
        files["checkpoint/state.json"] = json.dumps(state).encode()
        return resigned(files)

    return changed


def with_weights(make):
    def changed(files):
        name = "checkpoint/weights.safetensors"
        files[name] = make(files[name])
        return resigned(files)

    return changed


def with_header(make):
    """Change a safetensors header, and leave the rest."""

    def changed(data):
        length = int.from_bytes(data[:8], "little")
        header = json.dumps(make(json.loads(data[8 : 8 + length]))).encode()
        return struct.pack("<Q", len(header)) + header + data[8 + length :]

    return with_weights(changed)


def nan_weights(data):
    return data[:-4] + struct.pack("<f", float("nan"))


BOMB = b"\0" * 40_000_000
HUGE = {"n_layers": 10**9, "n_heads": 1, "d_model": 1, "context_length": 8}
WIDE = {"n_layers": 1, "n_heads": 1, "d_model": 10**9, "context_length": 8}


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        (lambda files: files | {"../../evil.py": b"x"}, "evil.py"),
        (lambda files: files | {"/etc/passwd": b"x"}, "/etc/passwd"),
        (lambda files: files | {"checkpoint/weights.pkl": b"x"}, r"weights\.pkl"),
        (lambda files: files | {"transformers/../../x": b"x"}, "no run's file does"),
        (lambda files: files | {str(number): b"" for number in range(100)}, "entries"),
        (lambda files: {k: v for k, v in files.items() if k != "text.txt"}, "lacks the text"),
        (lambda files: {k: v for k, v in files.items() if k != "run.json"}, r"lacks run\.json"),
        (change("checkpoint/weights.safetensors", lambda data: BOMB), "larger than is allowed"),
        (change("run.json", lambda data: b"[" * 100_000), r"run\.json cannot be used"),
        (change("run.json", lambda data: BOMB), "larger than is allowed"),
        (change("run.json", lambda data: data.replace(b"A run", b"A\\nrun")), "title"),
        (change("checkpoint/state.json", lambda data: b"[]"), "which step"),
        (change("checkpoint/weights.safetensors", lambda data: data[:-1]), "changed or is incom"),
        (change("checkpoint/tokenizer.json", lambda data: data + b" "), "changed or is incomplete"),
        (change("curves/points.csv", lambda data: b"\xff"), "no text"),
        (change("text.txt", lambda data: b"\x89PNG"), "PNG"),
        (with_config(corpus=None, text_path=None), "corpus or on a text"),
        (with_config(corpus="../../x", text_path=None), "corpus"),
        (with_config(steps=1e9), "whole number"),
        (with_config(accumulation=10**9), "at most 1,024"),
        (with_config(stop_minutes="5"), "above 0"),
        (with_facts(validation_loss="low"), "validation_loss that is none"),
        (with_facts(seconds=float("inf")), "seconds that is none"),
        (with_config(model=HUGE), "not those of the model"),
        (with_config(model=WIDE), "not those of the model"),
        (with_config(model={"n_layers": "1"}), "no run's config|whole number"),
        (with_weights(lambda data: b"\xff" * 8 + data[8:]), "no file of weights"),
        (with_weights(lambda data: b"\x80\x04\x95cos\nsystem\n" + data), "no file of weights"),
        (with_header(lambda header: {}), "no file of weights"),
        (with_header(lambda h: {"x" + k: v for k, v in h.items()}), "not those of the model"),
        (with_weights(nan_weights), "no numbers"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(packed, attack, sentence, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=sentence):
        unpack_run(packed_from(attack(entries(packed))), LIMITS)
    assert sorted(tmp_path.rglob("*")) == before  # nothing was written


def test_a_path_in_an_uploaded_config_is_never_followed(packed, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the password is swordfish. " * 40)
    files = with_config(text_path=str(secret))(entries(packed))
    config = place_run(unpack_run(packed_from(files), LIMITS), tmp_path / "placed")
    assert config.text_path == str((tmp_path / "placed" / "text.txt").resolve())
    assert "swordfish" not in Path(config.text_path).read_text()


def test_bits_flipped_anywhere_in_the_file_never_give_another_run(packed):
    expected = unpack_run(packed, LIMITS)
    draw = random.Random(0)
    for _ in range(200):
        data = bytearray(packed)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        try:
            run = unpack_run(bytes(data), LIMITS)
        except ValueError:
            continue
        assert run == expected  # in what nobody reads: a date, the card


def test_files_that_are_no_archive_or_too_large_are_refused(packed, folder):
    for data in (b"", b"PK\x03\x04", b"x" * 1000, packed[:-30], packed[: len(packed) // 2]):
        with pytest.raises(ValueError, match="damaged, or no run's file"):
            unpack_run(data, LIMITS)
    with pytest.raises(ValueError, match="and 1 MB are allowed"):
        unpack_run(packed + b"\0" * 1_000_000, replace(LIMITS, max_upload_mb=1))
    small = replace(LIMITS, max_parameters=10)
    with pytest.raises(ValueError, match="10 are allowed"):
        unpack_run(packed, small)


def test_tensorboard_reads_the_same_numbers(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    inside = LayerEvent(5, (1.0, 2.0, 3.0), (0.25, 0.5, 0.75))
    curves = replace(CURVES, layers=[inside], answers=[AnswerEvent(5, 3, 4, "")])
    write_events(curves, tmp_path, started=1000.0)
    events = EventAccumulator(str(tmp_path)).Reload()
    parts = ("embeddings", "layer 1", "output")
    assert set(events.Tags()["scalars"]) == {
        *(f"{kind}/{part}" for kind in ("weights", "updates") for part in parts),
        "right_answers",
        "loss/train",
        "loss/validation",
        "learning_rate",
        "gradient_norm",
        "tokens_per_second",
    }
    assert [events.Scalars(f"updates/{part}")[0].value for part in parts] == [0.25, 0.5, 0.75]
    assert events.Scalars("weights/output")[0].value == 3.0
    assert events.Scalars("right_answers")[0].value == 0.75
    train_loss = events.Scalars("loss/train")
    assert [(e.step, e.value, e.wall_time) for e in train_loss] == [
        (1, 3.0, 1000.1),
        (5, 2.5, 1000.7),
    ]
    assert [(e.step, round(e.value, 5)) for e in events.Scalars("loss/validation")] == [
        (0, 3.1),
        (5, 2.6),
    ]


def test_the_command_line_packs_unpacks_writes_and_goes_on(folder, tmp_path):
    def tool(*arguments):
        command = [sys.executable, "-m", "llm_core.training", *map(str, arguments)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    CURVES.save(folder)
    tool("export", folder, "--to", tmp_path / "run.zip")
    assert "step 20" in tool("import", tmp_path / "run.zip", "--out", tmp_path / "again")
    assert "done step=30" in tool("--resume", tmp_path / "again")
    assert [each.step for each in Curves.load(tmp_path / "again", until=99).points][-1] == 30
    assert tool("write", tmp_path / "again", "--prompt", "the ", "--tokens", 5)[:4] == "the "
    tool("tensorboard", tmp_path / "again", "--to", tmp_path / "log")
    assert list((tmp_path / "log").glob("events.out.tfevents.*"))
