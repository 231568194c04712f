"""A real Chromium on a real server: signed-in pages of any width and scheme; every CSP violation fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from tests.sync.conftest import athena, no_waiting, time, world

if TYPE_CHECKING:  # a conftest is read before Django's apps are
    from athena_dash.accounts.models import User

# Playwright's loop runs in this thread, which Django would take for an asynchronous caller.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PHONE, LAPTOP = 390, 1440
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (e) =>
  reportViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile || ""}`));
"""

__all__ = ["athena", "no_waiting", "time", "world"]  # a synthetic athena, for replays that are real

OpenAs = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium on PATH, else the one Playwright installed."""
    with sync_playwright() as playwright:
        own = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_as(chromium: Browser, live_server: Any) -> Iterator[OpenAs]:
    """`open_as(user, "/visits", width=390, scheme="dark")` → a signed-in page there.

    The test fails at its end if any page broke the content security policy or threw.
    """
    contexts, faults = [], []

    def open_page(
        user: User | None, path: str, *, width: int = LAPTOP, scheme: Any = "light", scripts: bool = True
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.expose_function("reportViolation", lambda text: faults.append(f"CSP: {text}"))
        page.add_init_script(REPORT_VIOLATIONS)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def session_cookie(user: User, url: str) -> Any:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


@pytest.fixture(scope="session")
def axe_findings() -> Callable[[Page], list[str]]:
    """What axe holds against a page as it stands, one line per rule with the elements it names."""
    axe = Axe()

    def findings(page: Page) -> list[str]:
        violations = axe.run(page).response["violations"]
        return [f"{v['id']}: {[node['html'][:120] for node in v['nodes'][:4]]}" for v in violations]

    return findings


@pytest.fixture(scope="session")
def scrolls_sideways() -> Callable[[Page], bool]:
    return lambda page: page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
