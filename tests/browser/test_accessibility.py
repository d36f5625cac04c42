"""No page has a serious or critical violation of axe-core's rules, in either theme."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pages.widgets.catalog import written_lessons

BAD = {"serious", "critical"}


@pytest.fixture(scope="module")
def server(start_module_server, tmp_path_factory):
    return start_module_server("app.py", {"INSIDE_LLMS_DATA": str(tmp_path_factory.mktemp("data"))})


def views():
    """Every page in both themes; the frame of the other views is the same for all lessons."""
    for lesson in written_lessons():
        path = "" if lesson.slug == "home" else lesson.slug
        yield path, "light", 1280
        yield path, "dark", 390
    for view in ("present", "print"):
        yield f"data_sampling?view={view}", "light", 1280
        yield f"self_attention?view={view}", "dark", 390


@pytest.mark.parametrize(("path", "scheme", "width"), views())
def test_no_serious_violation(browser, server, path, scheme, width):
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{server}/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_attached(timeout=60_000)
    taught = path.split("?")[0] in {lesson.slug for lesson in written_lessons() if lesson.is_taught}
    if taught and "view=present" not in path:
        expect(page.get_by_role("heading", name="In short")).to_be_attached(timeout=60_000)
    page.wait_for_function(
        "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')"
    )
    found = [
        f"{violation['id']}: {violation['help']}\n  "
        + "\n  ".join(node["html"][:200] for node in violation["nodes"][:5])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in BAD
    ]
    context.close()
    assert not found, "\n".join(found)
