"""A real Chromium for pages to be looked at in, and what must hold on every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

from config import HOME
from service.console import assets
from tests.services import absent

AXE: Final = HOME / "node_modules" / "axe-core" / "axe.min.js"
#: Of what lies in a frame axe finds nothing, as it is not in there; it only waits for an answer.
_ASK_AXE: Final = """axe.run(document, {resultTypes: ["violations"], iframes: false}).then(
    found => found.violations.map(one =>
        one.id + ' ' + one.nodes.map(node => node.target).join(' | ')))"""


#: What a page asks for by itself it asks for at once, or within the next few frames.
_MOMENT_MS: Final = 50


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """The Chromium at this path, as it runs on a machine without a screen."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """A browser for the console's pages; two of them at once cannot be had in one thread."""
    if not assets.FILES["tabler.css"][0].exists() or not AXE.exists():
        absent("chromium", "the pages' npm packages are not installed")
    with launched(chromium) as found:
        yield found


def complaints(page: Page, wrong: list[str] | None = None) -> list[str]:
    """What the browser complains about on this page from now on, to be looked at in the end."""
    heard = [] if wrong is None else wrong
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda fault: heard.append(str(fault)))
    return heard


def opened(page: Page, url: str) -> Response:
    """What the address answers with, once the page with all its parts has come to rest.

    Playwright's own "networkidle" says as much half a second after the last of them arrived.
    """
    begun, done = [0], [0]

    def begin(_request: Request) -> None:
        begun[0] += 1

    def end(_request: Request) -> None:
        done[0] += 1

    heard = {"request": begin, "requestfinished": end, "requestfailed": end}
    for event, hear in heard.items():
        page.on(event, hear)  # type: ignore[call-overload]  # one of three names
    try:
        answer = page.goto(url, wait_until="load")
        before = -1
        while begun[0] != done[0] or begun[0] != before:
            before = begun[0]
            page.wait_for_timeout(_MOMENT_MS)
    finally:
        for event, hear in heard.items():
            page.remove_listener(event, hear)
    assert answer is not None
    return answer


def hindrances(page: Page) -> list[str]:
    """What keeps somebody from reading the page: all axe finds, and what the screen cannot hold."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text("utf-8") + ";void 0")
    found: list[str] = page.evaluate(_ASK_AXE)
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, "wider than the screen"] if is_wide else found


def is_readable(page: Page) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    assert hindrances(page) == [], page.url
