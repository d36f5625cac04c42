"""Ask a model the held-out questions of a toy task: it writes on, and never guesses at random."""

import torch
from torch import Tensor

from llm_core.data.line_tasks import EQUALS, LineTask, judge_lines, whole_lines
from llm_core.models.gpt import GPT
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.training.events import AnswerEvent

ASKED = 100
SHOWN = 12
_HELD_OUT_TOKENS = 4_000  # of the validation text that are read for questions


def ask(
    model: GPT, tokenizer: Tokenizer, task: LineTask, held_out: Tensor, step: int
) -> AnswerEvent:
    """Ask up to ASKED questions out of the held-out ids (N,), and count the right answers.

    A line that the model has not ended where the right one ends is wrong.
    """
    text = tokenizer.decode(held_out[:_HELD_OUT_TOKENS].tolist())
    questions = whole_lines(text)[:ASKED]
    answers = answer(model, tokenizer, task, questions)
    lines = [f"{q}{EQUALS}{a}" for q, a in zip(questions, answers, strict=True)]
    right = sum(each.is_right for each in judge_lines(task, "\n".join(lines)))
    return AnswerEvent(step, right, len(lines), "\n".join(lines[:SHOWN]))


def answer(model: GPT, tokenizer: Tokenizer, task: LineTask, questions: list[str]) -> list[str]:
    """Return what the model writes after each question up to the line's end, likeliest token first.

    Questions of the same length are asked together. An answer is cut one sign after the length of
    the right one: longer is wrong already.
    """
    prompts = [tokenizer.encode(f"\n{question}{EQUALS}") for question in questions]
    most = [len(task.solve(question)) + 1 for question in questions]
    answers = [""] * len(questions)
    for length in sorted({len(prompt) for prompt in prompts}):
        places = [n for n, prompt in enumerate(prompts) if len(prompt) == length]
        ids = torch.tensor([prompts[n] for n in places])
        written = _continue(model, ids, max(most[n] for n in places))
        for n, row in zip(places, written.tolist(), strict=True):
            answers[n] = tokenizer.decode(row).partition("\n")[0][: most[n]]
    return answers


@torch.inference_mode()
def _continue(model: GPT, ids: Tensor, count: int) -> Tensor:
    """Return the (n, count) likeliest tokens that follow ids (n, T), one after the other."""
    device = next(model.parameters()).device
    training, start = model.training, ids.shape[1]
    model.eval()
    ids = ids.to(device)
    for _ in range(count):
        logits = model(ids[:, -model.config.context_length :]).logits[:, -1]
        ids = torch.cat([ids, logits.argmax(dim=-1, keepdim=True)], dim=1)
    model.train(training)
    return ids[:, start:].cpu()
