"""The index is built aside, once; branches' own services join it as they are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from config import HOME
from lightservices import catalogue
from lightservices.catalogue import own
from lightservices.knowledge import ready
from lightservices.knowledge.index import Index
from service.wiring import Unit

OWN: dict[str, Any] = {
    "key": "b310000-night-bus", "title": "夜宵专车", "class": "业务办理", "scenario": "美食娱乐",
    "kind": "guide", "summary": "看完演出送您回家",
    "words": ["夜宵专车", "专车接送", "夜班车", "送回家", "演出专车"],
    "asks": ["夜宵专车怎么约", "看完演出怎么回家", "专车接送要钱吗"],
    "steps": [{"title": "现场登记", "text": "出示入场券。"}],
}  # fmt: skip


def test_nobody_waits_for_an_index_that_is_not_ready() -> None:
    workshop = ready._Workshop()
    began = time.monotonic()
    first = workshop.wait(0.01)
    # Building takes some half a second of CPU, so a hundredth cannot suffice.
    assert first is None
    assert time.monotonic() - began < 0.5
    built = workshop.wait(None)
    assert built is not None
    assert workshop.wait(0) is built


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_builds_what_its_parent_had_only_begun() -> None:
    program = (
        "import os\n"
        "from lightservices.knowledge import ready\n"
        "ready.warm()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if ready.index(patience=30) else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=HOME, check=False, timeout=60
    )
    assert done.returncode == 0


def test_own_services_are_measured_once_and_anew_when_they_change(index: Index, bank: Unit) -> None:
    own.put(bank, branch="B310000", content=OWN)
    chain = ["B310000", "HQ"]
    offered = catalogue.offered(bank, chain)
    (entry,) = ready.own_entries(bank, index, offered)
    assert entry.service.title == "夜宵专车"
    own.put(bank, branch="B310000", content=OWN | {"title": "夜归专车"})
    (entry,) = ready.own_entries(bank, index, catalogue.offered(bank, chain))
    assert entry.service.title == "夜归专车"
    assert ready.own_entries(bank, index, catalogue.offered(bank, ["HQ"])) == []
