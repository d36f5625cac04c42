import re
import signal
import subprocess
import sys
from pathlib import Path

from llm_core.training.__main__ import main
from llm_core.training.checkpoint_index import read_config

ROOT = Path(__file__).parents[2]
TINY = "--layers 1 --heads 2 --width 16 --context 8 --batch 4 --device cpu".split()


def command(*options):
    return [sys.executable, "-m", "llm_core.training", *map(str, options)]


def run(*options):
    return subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_prints_a_line_an_interval_and_a_last_one(text_file, tmp_path):
    options = "--tokenizer char --recipe classic --dropout 0 --seed 1337 --steps 25".split()
    result = run(
        "--text", text_file, *TINY, *options, "--log-interval", 10, "--out", tmp_path / "o"
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [re.match(r"\w+=?\d*", line)[0] for line in lines if "train_loss" in line] == [
        "step=1",
        "step=10",
        "step=20",
        "step=25",
        "done",
    ]
    number = r"\d+(\.\d+)?"
    assert re.fullmatch(
        f"done step=25 train_loss={number} val_loss={number} seconds={number}"
        f" tokens_per_second={number}",
        lines[-1],
    )
    assert (tmp_path / "o" / "checkpoint-00000025" / "weights.safetensors").exists()


def test_ctrl_c_saves_and_resume_goes_on(text_file, tmp_path):
    arguments = ["--text", text_file, *TINY, "--steps", 100000, "--log-interval", 1]
    with subprocess.Popen(
        command(*arguments, "--out", tmp_path / "o"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith("step=20 "):
                process.send_signal(signal.SIGINT)
                break
        last = process.stdout.read().splitlines()[-1]
    assert process.returncode == 0
    checkpoint = max((tmp_path / "o").glob("checkpoint-*"))
    assert last.startswith(f"stopped step={int(checkpoint.name[-8:])} ")
    with subprocess.Popen(
        command("--resume", tmp_path / "o"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        process.kill()
        process.stdout.read()
    assert f"start step={int(checkpoint.name[-8:])} " in first


def test_mistakes_get_one_sentence():
    for options in (
        ["--text", "/no/such/file"],
        ["--corpus", "nonsense"],
        ["--resume", "/no/such/folder"],
        ["--corpus", "tiny_tales", "--heads", "3"],
    ):
        result = run(*options)
        assert result.returncode == 1
        assert result.stderr.startswith("error: ")
        assert len(result.stderr.splitlines()) == 1


def test_help_does_not_wait_for_torch():
    assert "--recipe" in run("--help").stdout
    code = "import sys, llm_core.training.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_saved_run_is_branched_and_goes_on_with_more_steps(text_file, tmp_path):
    """In one process: the command line's own functions, without a start of torch for each."""
    out, other = tmp_path / "o", tmp_path / "other"
    steps = ["--steps", "20", "--checkpoint-interval", "10", "--eval-interval", "10"]
    assert main(["--text", str(text_file), *TINY, *steps, "--out", str(out)]) == 0
    branch = ["branch", str(out), "--step", "10", "--out", str(other), "--rate-factor", "0.5"]
    assert main([*branch, "--steps", "30"]) == 0
    assert main(["--resume", str(other), "--steps", "40"]) == 0
    config = read_config(other)
    assert (config.steps, config.rate_changes) == (40, ((10, 0.5),))
    assert (other / "checkpoint-00000040").is_dir()
    assert main(["--resume", str(other), "--layers", "2"]) == 1
    assert main([*branch, "--steps", "30"]) == 1  # the folder is not empty


def test_an_estimate_trains_nothing_to_keep(text_file, tmp_path, capsys):
    assert main(["--text", str(text_file), *TINY, "--tokenizer", "gpt2", "--estimate"]) == 0
    told = capsys.readouterr().out
    assert "The 50,257 tokens of this vocabulary make" in told
    assert re.search(r"^estimate parameters=\d+ tokens=\d+ .*seconds=\d", told, re.MULTILINE)
