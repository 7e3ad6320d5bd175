"""Other people's SDKs, unmodified but for the host, find the sandbox to be WeChat."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import HOME, Settings
from service.sandbox import running

SCRIPTS = Path(__file__).parent / "sdk_scripts"
TAGS = ["上海市分行", "江苏省分行", "苏州分行"]


def python(package: str, script: str) -> list[str]:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed")
    return [sys.executable, str(SCRIPTS / script)]


def node(package: str, script: str) -> list[str]:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    if not (HOME / "node_modules" / package).is_dir():
        pytest.skip(f"the package {package} is not installed; run npm ci")
    return [found, str(SCRIPTS / script)]


def walk(command: list[str]) -> dict[str, Any]:
    """Let the script walk through a fresh account; what it saw."""
    with running(Settings()) as sandbox:
        openids = [sandbox.world.add_follower(subscribed=True).openid for _ in range(4)]
        given = {
            "host": sandbox.base_url,
            "appid": sandbox.settings.wechat_appid,
            "secret": sandbox.settings.wechat_secret,
            "openids": openids,
            "tags": TAGS,
        }
        done = subprocess.run(
            command,
            env={**os.environ, "SANDBOX": json.dumps(given), "NO_PROXY": "127.0.0.1"},
            cwd=HOME,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("runner", "package", "script"),
    [
        pytest.param(python, "wechatpy", "with_wechatpy.py", id="wechatpy"),
        pytest.param(python, "werobot", "with_werobot.py", id="WeRoBot"),
        pytest.param(node, "co-wechat-api", "with_co_wechat_api.cjs", id="co-wechat-api"),
    ],
)
def test_an_sdk_walks_through_menus_and_tags(runner: Any, package: str, script: str) -> None:
    assert walk(runner(package, script)) == {
        "token": True,
        "carried": [[100], [101], [102], []],
        "counts": [1, 1, 1],
        "before_default": 65303,
        "sees": [*TAGS, "总行"],
        "newest_first": True,
        "groups": True,
        "private": 65320,
        "empty": 65304,
        "duplicate": 45157,
        "too_many_tags": 45056,
        "spoilt_batch": 49003,
        "without_first": "总行",
        "all_gone": True,
    }
