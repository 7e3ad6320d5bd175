"""Two thousand deliveries through forty killed workers and a platform that answers badly.

``python -m benchmarks.deliveries [database-url]`` prints what arrived, what was repeated and how
long it took. The bar: nothing lost, nothing delivered twice, every repeat under the same key.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from config import Settings
from service.delivery.ledger import request
from service.happenings import OpenId
from service.sandbox import Sandbox, running
from tests.service.delivery.wired import create_tables, wire
from tests.service.delivery.workers import NOTIFYING, kill_while_working, unsettled

DELIVERIES, KILLS, FOLLOWERS = 2_000, 40, 20
TEMPLATE = "/cgi-bin/message/template/send"
FAULTS = {
    "seed": 7,
    "rules": [
        {"path": TEMPLATE, "do": "status", "status": 503, "probability": 0.05},
        {"path": TEMPLATE, "do": "lost", "probability": 0.03},
    ],
}


class Watch:
    """Every notice WeChat was asked to send; the sandbox itself keeps the latest only."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._last = 0
        self.calls = 0
        self.keys: dict[str, set[str]] = defaultdict(set)

    def look(self) -> int:
        for entry in self._sandbox.world.exchanges.after(self._last):
            self._last = entry["id"]
            if entry.get("path") == TEMPLATE:
                notice = json.loads(entry["request"])
                self.keys[notice["data"]["thing1"]["value"]].add(notice["client_msg_id"])
                self.calls += 1
        return self.calls


def run(database_url: str, data_dir: Path) -> bool:
    """Play it once, print the figures, and say whether the bar was met."""
    with running(Settings()) as sandbox:
        fans = [sandbox.world.add_follower(subscribed=True) for _ in range(FOLLOWERS)]
        settings = replace(sandbox.settings, data_dir=data_dir, database_url=database_url)
        wiring = wire(settings, NOTIFYING)
        create_tables(wiring)
        with wiring.unit() as unit:
            for number in range(DELIVERIES):
                fan = OpenId(fans[number % FOLLOWERS].openid)
                request(unit, "notify", key=f"{number}", openid=fan)
        sandbox.world.faults.play(FAULTS)
        watch, began = Watch(sandbox), time.monotonic()
        kills = kill_while_working(
            wiring, kills=KILLS, every=DELIVERIES // KILLS, seen=watch.look, seconds=900
        )
        seconds = time.monotonic() - began
        watch.look()
        said = [each for fan in fans for each in fan.chat if each["kind"] == "template"]
        arrived = {each["content"]["data"]["thing1"] for each in said}
        left = unsettled(wiring)
        wiring.hang_up()
    one_key_each = all(len(keys) == 1 for keys in watch.keys.values())
    print(
        f"{wiring.engine.dialect.name}: {DELIVERIES} deliveries, {kills} kills, {watch.calls} calls"
        f" in {seconds:.0f} s: {DELIVERIES - len(arrived)} lost, {len(said) - len(arrived)} twice,"
        f" {left} unsettled, repeats under the same key: {one_key_each}"
    )
    return len(arrived) == len(said) == DELIVERIES and not left and one_key_each


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else ""
        sys.exit(0 if run(url, Path(folder)) else 1)
