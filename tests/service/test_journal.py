"""What may and what may never be read in a log line or a counter."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from config import HOME, Settings
from service import clock, journal
from service.happenings import LocationReported, OpenId

OPENID = "oSandboxFollower_0000000001a"
TOKEN = "87_" + "aBcD-1234_" * 14
SECRET = "a-secret-of-the-bank"

Written = Callable[[Callable[[], object]], str]


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Written]:
    """What the journal writes while something is done, in both formats."""
    journal.set_up(replace(settings, log_format=request.param, wechat_secret=SECRET))

    def watch(do: Callable[[], object]) -> str:
        stream = io.StringIO()
        with redirect_stderr(stream):
            do()
        return stream.getvalue()

    yield watch
    journal.set_up(settings)


def test_a_line_says_what_happened_and_where(written: Written) -> None:
    line = written(lambda: journal.logger("regions.presence").info("moved", branch="B310000"))
    assert "moved" in line
    assert "regions.presence" in line
    assert "B310000" in line


@pytest.mark.parametrize(
    "private",
    [
        OPENID,
        TOKEN,
        SECRET,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "31.2304,121.4737",
        "13800138000",
        "+86 138-0013-8000",
        "021-12345678",
        "6222021234567890123",
        "11010519491231002X",
    ],
)
def test_what_is_private_by_its_shape_is_hidden_in_words_and_values(
    written: Written, private: str
) -> None:
    log = journal.logger("test")
    said = written(
        lambda: log.info(f"before {private} after", value=private, many=[{"a": private}])
    )
    assert private not in said
    assert "before" in said
    assert "after" in said


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("GET /cgi-bin/menu/get?access_token=short-one HTTP/1.1", "short-one"),
        ("/wechat?signature=abc1&timestamp=1714036504&nonce=n0nce&openid=o-x", "n0nce"),
        ("/visit?code=0123abcd&state=s7a7e", "0123abcd"),
        ("/visit?code=0123abcd&state=s7a7e", "s7a7e"),
        ('{"touser": "somebody", "msgtype": "text"}', "somebody"),
        ("{'appsecret': 'unguessable'}", "unguessable"),
        ("<Latitude>23.13</Latitude>", "23.13"),
        ("<Label><![CDATA[人民 大道 200 号]]></Label>", "大道"),
        ("<FromUserName><![CDATA[somebody]]></FromUserName>", "somebody"),
        ("openids=['one', 'two']", "two"),
        ("TextReceived(openid='o-x', content='我的密码是 1', menu_item=None)", "密码"),
        ("MediaReceived(kind='voice', said='卡号是 1')", "卡号"),
        ("<Recognition><![CDATA[卡号是 1]]></Recognition>", "卡号"),
        ("Authorization: Bearer-xyz", "Bearer-xyz"),
    ],
)
def test_what_is_private_by_its_name_is_hidden(written: Written, text: str, private: str) -> None:
    assert private not in written(lambda: logging.getLogger("urllib3.connectionpool").error(text))


@pytest.mark.parametrize(
    "plain",
    [
        "errcode=40013",
        "branch_code=B310000",
        "rid: 5f1e8a3c-4b0d2e11-7c",
        "timestamp=1714036504",
        "division 310115 in 12.5 ms",
        "微信拒绝了这次请求",
    ],
)
def test_what_operators_need_stays_readable(written: Written, plain: str) -> None:
    assert plain in written(lambda: journal.logger("test").info(plain))


def test_private_keys_hide_numbers_too(written: Written) -> None:
    said = written(lambda: journal.logger("test").info("fix", latitude=31.23, precision_m=30))
    assert "31.23" not in said
    assert "30" in said


def test_an_exception_and_its_traceback_are_cleaned(written: Written) -> None:
    fact = LocationReported(
        OpenId(OPENID), clock.now(), latitude=31.2, longitude=121.5, label="外滩"
    )

    def fail() -> None:
        try:
            raise ValueError(f"{fact!r} {TOKEN} secret={SECRET}")
        except ValueError:
            logging.getLogger("a.library").exception("it broke for %s", OPENID)

    said = written(fail)
    assert "ValueError" in said
    assert not any(word in said for word in (OPENID, TOKEN, SECRET, "31.2", "121.5", "外滩"))


def test_a_failing_call_does_not_show_the_token_in_its_address(written: Written) -> None:
    def call() -> None:
        try:
            requests.get(f"http://127.0.0.1:9/cgi-bin/menu/get?access_token={TOKEN}", timeout=0.5)
        except requests.RequestException:
            journal.logger("test").exception("unreachable")

    said = written(call)
    assert "access_token=[hidden]" in said
    assert TOKEN not in said


def test_a_database_password_is_hidden_even_when_it_is_escaped(settings: Settings) -> None:
    journal.set_up(replace(settings, database_url="postgresql://bank:p%40ss-word@127.0.0.1/bank"))
    try:
        assert "p%40ss-word" not in journal.redacted("cannot reach bank:p%40ss-word@127.0.0.1")
    finally:
        journal.set_up(settings)


def test_a_dying_thread_is_heard_and_cleaned(written: Written) -> None:
    args = threading.ExceptHookArgs((ValueError, ValueError(OPENID), None, None))

    def die() -> None:
        kept, threading.excepthook = threading.excepthook, threading.__excepthook__
        try:
            journal.set_up(Settings())
            threading.excepthook(args)
        finally:
            threading.excepthook = kept

    said = written(die)
    assert "stopped by an exception" in said
    assert OPENID not in said


def test_json_lines_are_json(settings: Settings) -> None:
    journal.set_up(replace(settings, log_format="json"))
    stream = io.StringIO()
    with redirect_stderr(stream):
        journal.logger("test").warning("迟到", seconds=3)
    journal.set_up(settings)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["seconds"], line["level"]) == ("迟到", 3, "warning")
    assert line["timestamp"].endswith("Z")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_redaction_is_total_and_settles_at_once(text: str) -> None:
    once = journal.redacted(f"{text} {OPENID} {text}")
    assert OPENID not in once
    assert journal.redacted("plain words stay") == "plain words stay"


def test_redaction_stays_linear_on_hostile_text() -> None:
    hostile = "openid=" + "a_" * 20_000 + "1." * 20_000 + "<![CDATA[" * 5_000
    assert len(journal.redacted(hostile)) < len(hostile)


def test_counters_add_up_by_label() -> None:
    journal.count("test_visits", outcome="well")
    journal.count("test_visits", outcome="well")
    journal.count("test_visits", outcome="badly")
    exposition = journal.exposition().decode()
    assert 'account_test_visits_total{outcome="well"} 2.0' in exposition
    assert 'account_test_visits_total{outcome="badly"} 1.0' in exposition


def test_a_counter_keeps_its_labels() -> None:
    journal.count("test_steady", outcome="well")
    with pytest.raises(ValueError, match="label"):
        journal.count("test_steady", kind="other")


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    program = (
        "from service import journal\n"
        "journal.count('test_shared')\n"
        "print(journal.exposition().decode())"
    )
    for expected in ("1.0", "2.0"):
        answer = subprocess.run(
            [sys.executable, "-c", program],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            cwd=HOME,
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"account_test_shared_total {expected}" in answer.stdout


@pytest.mark.parametrize(
    "piece",
    ["a_", "open_", "token=[", "label=(", "token><![CDATA[", 'token="', "token='x", "1.111 "],
)
def test_no_text_is_hostile_enough_to_hold_the_journal_up(piece: str) -> None:
    began = time.thread_time()
    journal.redacted(piece * (65_536 // len(piece)))
    journal.redacted("1.111" + " " * 65_536 + piece)
    # Thirty milliseconds is usual; what grows with the square of the length takes a minute.
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("opened", ['token="', "label='", "point=(", "<Label><![CDATA["])
def test_a_value_that_is_cut_off_is_hidden_to_the_end(opened: str) -> None:
    assert "大道" not in journal.redacted(f"why: {opened}人民 大道")
