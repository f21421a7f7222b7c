"""Every screen read by axe-core: nothing serious, in light, in the dark, on a phone, with text enlarged."""

import pytest
from web_support import ask, needs_chromium, opened

pytestmark = needs_chromium
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "enlarged": {"viewport": {"width": 1024, "height": 690}, "device_scale_factor": 1.25},
}


def serious(page):
    """The serious violations of what is shown now, as axe tells them."""
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_no_screen_has_a_serious_violation(browser, site, look):
    with opened(browser, site, bypass_csp=True, **LOOKS[look]) as page:
        page.locator("button.lx-suggestion").first.wait_for()
        page.wait_for_timeout(500)  # what fades in has its colours then
        found = {"start": serious(page)}
        ask(page, "党组织会议要多少人到会才能开？").locator("a.lx-chip").first.click()
        page.locator("#panel mark#quote").wait_for()
        found["answer"] = serious(page)
        page.keyboard.press("Escape")
        ask(page, "书记岗位津贴一个月发多少")
        found["none"] = serious(page)
        for name, ready in (
            ("写作", "#draft-start"),
            ("资料库", "#at-library table"),
            ("设置", "#at-settings table"),
        ):
            page.get_by_role("tab", name=name, exact=True).click()
            page.locator(ready).first.wait_for()
            page.wait_for_timeout(300)
            found[name] = serious(page)
        page.get_by_role("tab", name="资料库", exact=True).click()
        page.locator("#at-library td a").first.click()
        page.locator("#at-library .lx-beside").wait_for()
        found["document"] = serious(page)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert not any(found.values()), "\n".join(
        f"{name}: {line}" for name, lines in found.items() for line in lines
    )
