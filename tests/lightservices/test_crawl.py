"""Every service as followers of three branches read it in three modes, and all links on the way."""

from __future__ import annotations

import gzip
import html
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from lightservices import catalogue, characters
from lightservices.catalogue import Kind
from lightservices.pages.assets import shelf
from service import clock
from service.happenings import OpenId, Unfollowed
from tests.lightservices.conftest import Site, stand

#: Inside the county that serves it, GCJ-02.
GUANGZHOU = (23.1291, 113.2644)
CANTONESE = OpenId("oCRAWLfollowerInGuangzhou001")
MOST_BYTES = 60 * 1024
#: Somebody without a place, somebody who picked Shanghai, a follower who stands in Guangzhou.
VISITORS = {
    "总行": {},
    "上海市分行": {"city": "310000"},
    "广东省分行": {"openid": CANTONESE},
}
#: Light and dark differ in the style sheet alone; these differ in the page.
MODES = {"standard": {}, "care": {"care": "1"}, "traditional": {"script": "hant"}}

_BRANCH = re.compile(r'class="place__branch">([^<]*)<')
_LINK = re.compile(r'(?:href|action)="(/[^"]*)"')


@dataclass
class Crawled:
    """What is wrong, where each page leads, and how long the server took for each."""

    wrong: dict[str, str] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    milliseconds: list[float] = field(default_factory=list)


@pytest.fixture(scope="module")
def town(furnished: Site) -> Iterator[Site]:
    with furnished.wiring.unit() as unit:
        stand(unit, GUANGZHOU, openid=CANTONESE)
    # The first page of a process reads the pack and the map; it is no page's own time.
    furnished.visitor(openid=CANTONESE).get("/s/outlets")
    yield furnished
    with furnished.wiring.unit() as unit:
        unit.announce(Unfollowed(CANTONESE, clock.now()))


def reader(town: Site, branch: str, mode: str) -> FlaskClient:
    client = town.visitor(**VISITORS[branch])
    for name, value in MODES[mode].items():
        client.set_cookie(name, value)
    return client


def crawl(client: FlaskClient, branch: str) -> Crawled:
    seen = Crawled()
    assets = sum(len(one.gzipped) for name, one in shelf().items() if name != "share.png")
    for service in catalogue.services().values():
        begun = time.thread_time()
        answer = client.get(service.path, headers={"Accept-Encoding": "gzip"})
        seen.milliseconds.append((time.thread_time() - begun) * 1000)
        if answer.status_code == 302 and service.kind is Kind.LINK:
            seen.links.add(urlsplit(answer.location).path)
            continue
        if answer.status_code != 200:
            seen.wrong[service.key] = f"status {answer.status_code}"
            continue
        packed = answer.headers.get("Content-Encoding") == "gzip"
        text = (gzip.decompress(answer.data) if packed else answer.data).decode()
        if (shown := _BRANCH.search(text)) is None or shown[1] != branch:
            seen.wrong[service.key] = f"shows {shown[1] if shown else 'no branch'}"
        if len(answer.data) + assets > MOST_BYTES:
            seen.wrong[service.key] = f"weighs {len(answer.data)} bytes beside its {assets}"
        seen.links.update(html.unescape(link) for link in _LINK.findall(text))
    return seen


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("branch", VISITORS)
def test_every_service_is_served_for_its_branch_and_leads_nowhere_dead(
    town: Site, branch: str, mode: str, record_property: pytest.RecordProperty
) -> None:
    client = reader(town, branch, mode)
    shown = characters.traditional(branch) if mode == "traditional" else branch
    seen = crawl(client, shown)
    assert not seen.wrong
    assert len(seen.milliseconds) == len(catalogue.services())
    ranked = statistics.quantiles(seen.milliseconds, n=20)
    record_property("p95_ms", round(ranked[18], 1))
    assert not dead(client, seen.links)


def dead(client: FlaskClient, links: set[str]) -> dict[str, int]:
    """The links that lead to nothing; what forms post to need not answer a GET."""
    services = {service.path for service in catalogue.services().values()}
    answers = {link: client.get(link).status_code for link in sorted(links - services)}
    return {link: status for link, status in answers.items() if status >= 400 and status != 405}
