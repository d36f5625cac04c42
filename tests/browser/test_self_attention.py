"""The lesson on self-attention: stages by keyboard, a cell that explains itself, a measurement."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    return visit("self_attention?words=cats+see+mice")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def test_from_a_pronoun_by_hand_to_the_cost(page):
    why = part(page, "why")
    why.get_by_role("button", name="branch").click()
    expect(why.get_by_text("can that be tired?")).to_be_visible()
    why.get_by_text("thin", exact=True).click()
    expect(why.get_by_text("Yes: “thin” decides")).to_be_visible()

    trained = part(page, "trained")
    slider = trained.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(trained.get_by_text("Stage 2 of 5")).to_be_visible()
    expect(page).to_have_url(re.compile("stage=2"))
    matrix = trained.get_by_role("application")
    expect(matrix).to_have_count(1)
    expect(trained.get_by_text("One cell; choose any other:")).to_have_count(1)
    expect(trained.get_by_text("One cell; choose any other:")).to_be_visible()
    matrix.focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        matrix.press(key)
    expect(trained.get_by_text("The cell that you chose:")).to_be_visible()
    formula = trained.locator("p").filter(has_text=re.compile(r"q.mice. · k.see."))
    expect(formula).to_be_visible()
    terms = re.sub(r"[()]", "", formula.inner_text().replace("−", "-")).split(" = ")
    products = [part.split("·") for part in terms[1].split(" + ")]
    assert len(products) == 4
    total = sum(float(left) * float(right) for left, right in products)
    assert total == pytest.approx(float(terms[2]), abs=0.01)

    cost = part(page, "cost")
    cost.get_by_role("button", name="Measure on this machine").click()
    said = cost.get_by_text(re.compile(r"At 1,024 tokens: .* megabytes in the open"))
    expect(said).to_be_visible(timeout=120_000)
    opened, fused = map(
        float, re.findall(r"([\d.]+)(?: megabytes)? (?:in|fused)", said.inner_text())
    )
    assert opened > 48 > 8 > fused  # three matrices of 4 heads of 1,024² numbers, and none

    order = part(page, "order")
    order.get_by_text("I would rather see it").click()
    expect(order.get_by_text("differ by 0")).to_be_visible()
    order.get_by_text("Add positions to the vectors").click()
    expect(order.get_by_text("are different now")).to_be_visible()


def test_too_many_words_are_refused_calmly_and_the_rest_waits(page):
    field = page.get_by_label("Three to six words")
    field.fill("one two three four five six seven")
    field.press("Enter")
    expect(page.get_by_text("By hand, 3 to 6 words are the right number")).to_be_visible()
    expect(part(page, "trained").get_by_text("This part goes on as soon as")).to_be_visible()
    expect(part(page, "cost").get_by_role("button", name="Measure")).to_be_visible()


def test_a_head_of_a_trained_model_is_chosen_and_taken_away(page):
    real = part(page, "real")
    grid = real.get_by_role("application").first
    grid.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):  # from layer 1, head 1
        grid.press(key)
    expect(page).to_have_url(re.compile("layer=2"))
    expect(real.get_by_text("Layer 2, head 2. Choose the token that looks:")).to_be_visible()
    real.get_by_role("button", name=re.compile("doll")).first.click()
    expect(real.get_by_text(re.compile("^“·doll” .place 7. looks most at"))).to_be_visible()
    expect(real.get_by_text("finds what followed the same token before")).to_be_visible()

    ablation = part(page, "ablation")
    expect(ablation.get_by_text("Without head 2 of layer 2")).to_be_visible()
    before = ablation.get_by_text(re.compile("goes from")).inner_text()
    real.get_by_role("spinbutton", name="Layer").fill("1")
    real.get_by_role("spinbutton", name="Layer").press("Enter")
    expect(ablation.get_by_text("Without head 2 of layer 1")).to_be_visible()
    after = ablation.get_by_text(re.compile("goes from")).inner_text()
    left, lost = (float(re.findall(r"([\d.]+) %", said)[-1]) for said in (before, after))
    assert lost < left / 2  # measured: the one head that this text needs
