import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llm_core.training import checkpoint_index
from llm_core.training.checkpoint_index import (
    DamagedCheckpointError,
    latest_checkpoint,
    list_checkpoints,
    read_config,
    read_files,
)
from llm_core.training.checkpoints import load_checkpoint, load_model, load_newest_model
from llm_core.training.events import StartEvent, StepEvent
from llm_core.training.loop import train
from llm_core.training.recipes import RECIPES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(tiny_run, tmp_path):
    """A run with checkpoints of steps 20 and 30."""
    list(train(tiny_run(), out=tmp_path / "run"))
    return tmp_path / "run"


def losses(events):
    return {event.step: event.loss for event in events if isinstance(event, StepEvent)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.parametrize("recipe", ["classic", "modern"])
def test_a_run_killed_at_20_random_moments_equals_one_never_killed(tiny_run, tmp_path, recipe):
    dropout = tiny_run().model | {"dropout": 0.1}
    config = tiny_run(
        recipe=RECIPES[recipe], model=dropout, steps=40, checkpoint_interval=3, eval_interval=0
    )
    config.save(tmp_path / "config.json")
    script = Path(__file__).with_name("killed_at_any_moment.py")
    command = [
        sys.executable,
        str(script),
        str(tmp_path / "config.json"),
        str(tmp_path / "runs"),
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    whole = tmp_path / "whole"
    expected = losses(train(config, out=whole))
    for number in range(int(result.stdout)):
        killed = tmp_path / "runs" / str(number)
        for line in (killed / "losses").read_text().splitlines():
            step, loss = line.split()
            assert float.fromhex(loss) == expected[int(step)]
        for name in ("weights.safetensors", "optimizer.safetensors"):
            path = Path("checkpoint-00000040") / name
            assert (killed / path).read_bytes() == (whole / path).read_bytes()


def test_a_truncated_file_is_never_loaded(saved):
    newest = latest_checkpoint(saved)
    whole, _ = read_files(newest)
    expected = load_model(list_checkpoints(saved)[0])[0].state_dict()
    draw = random.Random(0)
    for turn in range(200):
        name = draw.choice(sorted(whole))
        path = newest / name
        path.write_bytes(whole[name][: draw.randrange(len(whole[name]))])
        with pytest.raises(DamagedCheckpointError, match="step 00000030 is damaged"):
            load_model(newest)
        if turn % 20 == 0:  # then the one before is used
            weights = load_newest_model(saved)[0].state_dict()
            assert all(torch.equal(weights[key], expected[key]) for key in weights)
        path.write_bytes(whole[name])
    load_model(newest)


def test_a_flipped_bit_is_never_loaded(saved):
    newest = latest_checkpoint(saved)
    whole, _ = read_files(newest)
    draw = random.Random(0)
    for _ in range(200):
        name = draw.choice(sorted(whole))
        data = bytearray(whole[name])
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (newest / name).write_bytes(bytes(data))
        with pytest.raises(DamagedCheckpointError):
            load_checkpoint(newest)
        (newest / name).write_bytes(whole[name])
    load_checkpoint(newest)


def test_going_on_passes_over_a_damaged_checkpoint_says_so_and_ends_the_same(saved, tiny_run):
    whole = read_files(latest_checkpoint(saved))[0]
    (latest_checkpoint(saved) / "weights.safetensors").write_bytes(b"")
    events = list(train(tiny_run(), resume=saved))
    start = next(event for event in events if isinstance(event, StartEvent))
    assert start.step == 20
    assert "step 30 was damaged" in start.note
    assert read_files(latest_checkpoint(saved))[0] == whole


def test_a_run_whose_checkpoints_are_all_damaged_is_told_as_lost(saved, tiny_run):
    for checkpoint in list_checkpoints(saved):
        shutil.copy(checkpoint / "config.json", checkpoint / "weights.safetensors")
    with pytest.raises(DamagedCheckpointError, match="is lost"):
        next(train(tiny_run(), resume=saved))
    with pytest.raises(DamagedCheckpointError, match="is lost"):
        read_config(saved)


def test_a_missing_or_exchanged_file_is_noticed(saved):
    older, newest = list_checkpoints(saved)
    shutil.copy(older / "weights.safetensors", newest)
    with pytest.raises(DamagedCheckpointError, match=r"weights\.safetensors has changed"):
        load_model(newest)
    (newest / "weights.safetensors").unlink()
    with pytest.raises(DamagedCheckpointError, match=r"weights\.safetensors is missing"):
        load_model(newest)
    shutil.rmtree(newest)
    older.rename(newest)  # a checkpoint under another step's name
    with pytest.raises(DamagedCheckpointError, match="changed"):
        load_model(newest)


KEPT = ["checkpoint-00000000", "checkpoint-00000010"]


@pytest.mark.parametrize("failing_write", range(5))
def test_a_full_disk_leaves_the_older_checkpoint(tiny_run, tmp_path, monkeypatch, failing_write):
    out = tmp_path / "run"
    list(train(tiny_run(steps=10), out=out))
    writes = 0
    write_synced = checkpoint_index.write_synced

    def write_on_a_full_disk(path, data):
        nonlocal writes
        writes += 1
        if writes > failing_write:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_synced(path, data)

    config = tiny_run(steps=30)
    (out / "checkpoint-00000010" / "config.json").write_text(config.to_json())
    _sign_again(out / "checkpoint-00000010")
    monkeypatch.setattr(checkpoint_index, "write_synced", write_on_a_full_disk)
    with pytest.raises(OSError, match="No space left"):
        list(train(config, resume=out))
    assert sorted(path.name for path in out.iterdir()) == KEPT
    monkeypatch.undo()
    assert list(losses(train(config, resume=out))) == list(range(11, 31))


def _sign_again(checkpoint):
    """Write a checkpoint anew, its config changed on purpose."""
    content = {name: (checkpoint / name).read_bytes() for name in checkpoint_index.FILES}
    facts = {"text_sha256": _text_digest(checkpoint), "precision": "float32", "threads": 1}
    checkpoint_index.write_files(checkpoint.parent, 10, content, facts)


def _text_digest(checkpoint):
    return json.loads((checkpoint / "state.json").read_text())["text_sha256"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from llm_core.training.config import RunConfig
from llm_core.training.loop import train
events = train(RunConfig.load(Path(sys.argv[1])), out=Path(sys.argv[2]))
for event in events:
    if event.step == 15:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a quota for files")
def test_the_systems_own_refusal_to_write_leaves_the_older_checkpoint(tiny_run, tmp_path):
    tiny_run().save(tmp_path / "config.json")
    out = tmp_path / "run"
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "config.json"), str(out)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "File too large" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == KEPT
    load_model(latest_checkpoint(out))


def test_what_a_killed_writer_left_is_cleared_away(tiny_run, tmp_path):
    left_over = tmp_path / ".checkpoint-00000005.partial"
    left_over.mkdir()
    (left_over / "weights.safetensors").write_bytes(b"half")
    list(train(tiny_run(), out=tmp_path))
    assert not left_over.exists()
    assert len(list_checkpoints(tmp_path)) == 2
