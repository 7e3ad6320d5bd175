"""Every service × three branches × light, dark, large print and Traditional, looked at by axe.

``python -m benchmarks.crawl [--json] [--modes light,dark,care] [--services a,b] [--processes N]``.
First the pages are asked for in the process, which gives sizes and the server's own time (of the
processor, because machines are shared and noisy); then Chromium opens each on a screen of 375 × 667
and axe looks at it. Exits 1 on a violation, a page that is not 200, or one beyond the bars.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from config import HOME, Settings
from lightservices import catalogue, characters
from lightservices.catalogue import Kind
from lightservices.pages.assets import shelf
from service.db import db
from service.happenings import OpenId
from tests.lightservices.conftest import furnish, stand
from wsgi import create_app

AXE = HOME / "node_modules" / "axe-core" / "axe.min.js"
ASK_AXE = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
    one => one.id + ' ' + one.nodes[0].target))"""
MOST_BYTES = 60 * 1024
MOST_MILLISECONDS = 30
FOLLOWER = OpenId("oCRAWLfollowerInGuangzhou001")
#: Branch → what the visit cookie holds: nothing, a picked city, a follower who stands in Guangzhou.
VISITORS: Mapping[str, Mapping[str, str]] = {
    "总行": {},
    "上海市分行": {"city": "310000"},
    "广东省分行": {"openid": FOLLOWER},
}
#: Mode → the cookies it means; dark is the phone's own wish.
MODES: Mapping[str, Mapping[str, str]] = {
    "light": {}, "dark": {}, "care": {"care": "1"}, "traditional": {"script": "hant"},
}  # fmt: skip


@dataclass(frozen=True)
class Round:
    """The pages that one phone opens."""

    address: str
    branch: str
    mode: str
    visit: str
    paths: tuple[str, ...]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: only the result is of interest."""


@contextmanager
def served() -> Iterator[tuple[Flask, str]]:
    """The sample bank on a database of its own, over HTTP on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        server = make_server("127.0.0.1", 0, _late, threaded=True, request_handler=_Quiet)
        address = f"http://127.0.0.1:{server.port}"
        settings = Settings(data_dir=Path(folder), public_base_url=address, log_format="json")
        app = create_app(replace(settings, wechat_jssdk_url=f"{address}/assets/none"))
        with app.app_context():
            db.create_all()
        with app.extensions["wiring"].unit() as unit:
            furnish(unit)
            stand(unit, (23.1291, 113.2644), openid=FOLLOWER)
        server.app = app
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield app, address
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["wiring"].hang_up()


def _late(_environ: Any, _start: Any) -> list[bytes]:
    raise RuntimeError("the program takes this place before anybody asks")


def asked(app: Flask, services: Sequence[catalogue.Service]) -> dict[str, Any]:
    """Status, branch, size and server time of every page, in this process."""
    wrong: dict[str, str] = {}
    times: list[float] = []
    sizes: list[int] = []
    assets = sum(len(one.gzipped) for name, one in shelf().items() if name != "share.png")
    for branch, visit in VISITORS.items():
        for mode, cookies in MODES.items():
            client = app.test_client()
            for name, value in cookies.items():
                client.set_cookie(name, value)
            with client.session_transaction() as session:
                session.update(visit)
            shown = characters.traditional(branch) if mode == "traditional" else branch
            client.get("/s/directory")
            for service in services:
                begun = time.thread_time()
                answer = client.get(service.path, headers={"Accept-Encoding": "gzip"})
                times.append((time.thread_time() - begun) * 1000)
                packed = answer.headers.get("Content-Encoding") == "gzip"
                body = (gzip.decompress(answer.data) if packed else answer.data).decode()
                sizes.append(len(answer.data) + assets)
                if answer.status_code == 302 and service.kind is Kind.LINK:
                    continue
                if answer.status_code != 200 or f'place__branch">{shown}<' not in body:
                    wrong[f"{service.key} {branch} {mode}"] = f"{answer.status_code}"
    ranked = statistics.quantiles(times, n=100)
    return {
        "pages": len(times),
        "wrong": wrong,
        "p50_ms": round(ranked[49], 2),
        "p95_ms": round(ranked[94], 2),
        "p99_ms": round(ranked[98], 2),
        "largest_bytes_with_assets": max(sizes),
    }


def looked_at(round_: Round) -> dict[str, list[str]]:
    """What axe finds wrong on each of these pages, and what the browser complained about."""
    found: dict[str, list[str]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(
            viewport={"width": 375, "height": 667},
            color_scheme="dark" if round_.mode == "dark" else "light",
            is_mobile=True,
        )
        cookies = {"visit": round_.visit} | dict(MODES[round_.mode])
        context.add_cookies(
            [{"name": name, "value": text, "url": round_.address} for name, text in cookies.items()]
        )
        context.add_init_script(path=AXE)
        page = context.new_page()
        said: list[str] = []
        page.on("pageerror", lambda fault: said.append(str(fault)))
        for path in round_.paths:
            said.clear()
            page.goto(round_.address + path)
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            trouble = [*page.evaluate(ASK_AXE), *said, *(["wider than the screen"] if wide else [])]
            if trouble:
                found[f"{path} {round_.branch} {round_.mode}"] = trouble
        browser.close()
    return found


def rounds(app: Flask, address: str, modes: Sequence[str], paths: tuple[str, ...]) -> list[Round]:
    assert isinstance(app.session_interface, SecureCookieSessionInterface)
    signer = app.session_interface.get_signing_serializer(app)
    assert signer is not None
    return [
        Round(address, branch, mode, str(signer.dumps(dict(visit))), paths)
        for branch, visit in VISITORS.items()
        for mode in modes
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--modes", default="light,dark,care")
    parser.add_argument("--services", default="", help="keys, comma-separated; all unless given")
    parser.add_argument("--processes", type=int, default=2)
    told = parser.parse_args()
    keys = set(told.services.split(",")) - {""}
    services = [one for one in catalogue.services().values() if not keys or one.key in keys]
    with served() as (app, address):
        result = asked(app, services)
        work = rounds(app, address, told.modes.split(","), tuple(one.path for one in services))
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(told.processes, mp_context=spawn) as pool:
            found = {place: why for one in pool.map(looked_at, work) for place, why in one.items()}
    result |= {"looked_at": len(work) * len(services), "violations": found}
    print(json.dumps(result, ensure_ascii=False, indent=None if told.json else 2))
    beyond = result["p95_ms"] > MOST_MILLISECONDS
    heavy = result["largest_bytes_with_assets"] > MOST_BYTES
    return int(bool(found or result["wrong"] or beyond or heavy))


if __name__ == "__main__":
    raise SystemExit(main())
