"""A real Chromium for pages to be looked at in, and what must hold on every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config import HOME
from service.console import assets
from tests.services import absent

AXE: Final = HOME / "node_modules" / "axe-core" / "axe.min.js"
_ASK_AXE: Final = """axe.run(document).then(found => found.violations.map(
    one => one.id + ' ' + one.nodes.map(node => node.target).join(' | ')))"""


#: How long a page may take to show what is expected of it, on a machine that does other things too.
expect.set_options(timeout=20_000)


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


def complaints(page: Page) -> list[str]:
    """What the browser complains about on this page from now on, to be looked at in the end."""
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda fault: wrong.append(str(fault)))
    return wrong


def hindrances(page: Page) -> list[str]:
    """What keeps somebody from reading the page: all axe finds, and what the screen cannot hold."""
    page.evaluate(AXE.read_text("utf-8") + ";void 0")
    found: list[str] = page.evaluate(_ASK_AXE)
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, "wider than the screen"] if is_wide else found


def is_readable(page: Page) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    assert hindrances(page) == [], page.url
