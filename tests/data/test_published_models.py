"""The table of published models: whole, sourced, and consistent with what its papers state."""

import re

import pytest

from llm_core.data.published_models import compute_optimal, published_models, training_flops

MODELS = {model.name: model for model in published_models()}


def test_there_are_enough_models_each_with_its_source():
    assert len(MODELS) == len(published_models()) >= 15
    years = [model.year for model in published_models()]
    assert years == sorted(years)
    assert years[0] == 2018
    assert years[-1] >= 2025
    for model in published_models():
        assert re.match(r"https://(arxiv\.org/abs/\d{4}\.\d{5}|cdn\.openai\.com/)", model.source)
        assert re.search(r"\b20\d\d: ", model.paper)
        assert 1e8 < model.active_parameters <= model.parameters < 2e12
        assert 1e10 < model.tokens < 1e14


@pytest.mark.parametrize(
    ("name", "flops"),
    [
        # As the papers themselves state their compute; 6ND is a rule of thumb.
        ("GPT-3", 3.14e23),  # table D.1
        ("PaLM", 2.53e24),  # table 20
        ("Llama 3.1 405B", 3.8e25),  # section 3
        ("Chinchilla", 5.76e23),  # the budget of Gopher, figure 3
        ("Gopher", 5.76e23),
    ],
)
def test_compute_is_near_what_the_papers_state(name, flops):
    assert MODELS[name].flops == pytest.approx(flops, rel=0.15)


def test_experts_that_rest_do_not_count():
    model = MODELS["DeepSeek-V3"]
    assert model.flops == pytest.approx(6 * 37e9 * 14.8e12)
    assert model.tokens_a_parameter == pytest.approx(400)


def test_the_optimal_model_uses_the_whole_budget_at_twenty_tokens_a_parameter():
    parameters, tokens = compute_optimal(MODELS["Gopher"].flops)
    assert tokens == pytest.approx(20 * parameters)
    assert training_flops(parameters, tokens) == pytest.approx(MODELS["Gopher"].flops)
    assert parameters == pytest.approx(70e9, rel=0.12)  # Chinchilla was built to show it


@pytest.mark.parametrize("budget", [0, -1, float("inf"), float("nan")])
def test_no_budget_is_refused(budget):
    with pytest.raises(ValueError, match="above 0"):
        compute_optimal(budget)
