"""What the environment may say, and that everything wrong with it is told at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.cli import FlaskGroup
from hypothesis import given
from hypothesis import strategies as st

import config
from config import SAMPLE_SECRETS, Settings, SettingsRefused, documented, faults, from_environment
from wsgi import create_app


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests plays a part."""
    for name, _default, _says in documented():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def earnest(**changes: object) -> Settings:
    """Settings as a bank would have them."""
    return replace(
        Settings(
            environment="production",
            bank_name="某银行",
            wechat_appid="wx1234567890abcdef",
            wechat_secret="0123456789abcdef0123456789abcdef",
            wechat_token="ownpushtoken",
            wechat_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
            wechat_api_base="https://api.weixin.qq.com",
            wechat_oauth_base="https://open.weixin.qq.com",
            public_base_url="https://bank.example",
            secret_key="a-key-of-more-than-thirty-two-characters",
        ),
        **changes,
    )


def test_nothing_need_be_set_to_try_the_program() -> None:
    settings = from_environment()
    assert settings.uses_sandbox
    assert settings.wechat_api_base == "http://127.0.0.1:8100"
    assert settings.public_base_url == "http://127.0.0.1:8000"


def test_ports_move_the_addresses_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("SANDBOX_PORT", "9100")
    settings = from_environment()
    assert settings.public_base_url == "http://127.0.0.1:9000"
    assert settings.wechat_oauth_base == "http://127.0.0.1:9100"


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    monkeypatch.setenv("WECHAT_SECRET_FILE", str(secret))
    assert from_environment().wechat_secret == "from-a-file"


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("WECHAT_MODE", "open")
    monkeypatch.setenv("MENU_TAGS", "101")
    with pytest.raises(SettingsRefused) as refused:
        from_environment()
    assert set(refused.value.problems) == {"PORT", "WECHAT_MODE", "MENU_TAGS"}


def test_a_file_tells_what_the_environment_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("BANK_NAME=江海银行\nHOTLINE=95000\n", encoding="utf-8")
    for name in ("BANK_NAME", "HOTLINE"):
        # So that what the file puts into the environment is gone after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOTLINE", "95599")
    settings = from_environment(file)
    assert (settings.bank_name, settings.hotline) == ("江海银行", "95599")


def test_in_production_an_empty_address_is_wechats_own() -> None:
    settings = earnest(wechat_api_base="", wechat_oauth_base="")
    assert settings.wechat_api_base == "https://api.weixin.qq.com"
    assert settings.wechat_oauth_base == "https://open.weixin.qq.com"
    assert faults(settings) == {}


def test_a_terminal_is_told_what_to_mend_and_not_where_it_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    told = CliRunner().invoke(FlaskGroup(create_app=lambda: create_app()), ["doctor"])
    assert told.exit_code == 1
    assert "请先改好这些设置" in told.output
    assert "PORT" in told.output
    assert "Traceback" not in told.output


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_AES_KEY", "too-short-a-key")
    with pytest.raises(SettingsRefused) as refused:
        from_environment()
    assert "too-short-a-key" not in str(refused.value)


def test_a_bank_with_its_own_values_may_go_to_production() -> None:
    assert faults(earnest()) == {}


@pytest.mark.parametrize("name", sorted(SAMPLE_SECRETS))
def test_production_refuses_every_sample_secret(name: str) -> None:
    assert name.upper() in faults(earnest(**{name: SAMPLE_SECRETS[name]}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_base_url", "http://bank.example"),
        ("wechat_api_base", "https://sandbox.example"),
        ("wechat_api_base", "https://api.weixin.qq.com.evil.example"),
        ("wechat_jssdk_url", "http://res.wx.qq.com/open/js/jweixin-1.6.0.js"),
        ("secret_key", "short"),
        ("bank_name", config.SAMPLE_BANK),
    ],
)
def test_production_refuses_what_is_not_earnest(name: str, value: str) -> None:
    assert name.upper() in faults(earnest(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wechat_aes_key", "x" * 42),
        ("wechat_aes_key_previous", "with-punctuation-is-never-a-key-0123456789a"),
        ("public_base_url", "bank.example"),
        ("public_base_url", "https://bank.example/path"),
        ("wechat_jssdk_url", "/jweixin.js"),
        ("wechat_jssdk_url", "https://res.wx.qq.com; script-src */jweixin.js"),
        ("freshness_seconds", 0),
        ("presence_days", -1),
        ("menu_tags", 0),
        ("menu_ceiling", -1),
    ],
)
def test_what_can_never_work_is_refused_everywhere(name: str, value: object) -> None:
    assert name.upper() in faults(replace(Settings(), **{name: value}))


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_databases_are_spoken_to_through_a_known_driver(given_url: str, used: str) -> None:
    assert Settings(database_url=given_url).database == used


def test_without_a_database_there_is_sqlite_in_the_data_folder(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).database == f"sqlite:///{tmp_path}/bank.sqlite3"


def test_the_page_script_comes_from_where_the_account_is() -> None:
    assert Settings().jssdk_url == "http://127.0.0.1:8100/jssdk/jweixin.js"
    assert earnest().jssdk_url.startswith("https://res.wx.qq.com/")
    assert earnest(wechat_jssdk_url="https://bank.example/j.js").jssdk_url.endswith("/j.js")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=80))
def test_no_text_as_a_key_breaks_the_check(text: str) -> None:
    found = faults(replace(Settings(), wechat_aes_key=text))
    assert set(found) <= {"WECHAT_AES_KEY"}


def test_a_core_is_asked_only_where_one_is_named_and_never_with_sample_secrets() -> None:
    assert Settings().uses_core_sandbox
    assert Settings(core_sandbox_port=9200).core_api_base == "http://127.0.0.1:9200"
    alone = earnest()
    assert (alone.core_api_base, alone.uses_core_sandbox, faults(alone)) == ("", False, {})
    named = earnest(core_api_base="https://core.bank.example/wechat/")
    assert set(faults(named)) == {"CORE_API_KEY", "CORE_API_SECRET"}
    assert not faults(replace(named, core_api_key="account", core_api_secret="a secret of its own"))


@pytest.mark.parametrize("address", ["core.bank.example", "https://", "https://core.example/?a=1"])
def test_what_is_no_address_of_a_core_is_refused(address: str) -> None:
    assert "CORE_API_BASE" in faults(Settings(core_api_base=address))
    assert "CORE_API_BASE" in faults(earnest(core_api_base="http://core.bank.example"))


@pytest.mark.parametrize(
    ("number", "fields", "is_right"),
    [
        ("", "", True),
        ("T1", "thing1=headline,time2=ends_at", True),
        ("T1", "", False),
        ("", "thing1=headline", False),
        ("T1", "thing1=headline,", False),
        ("T1", "thing1=price", False),
        ("T1", "thing=headline", False),
    ],
)
def test_a_template_needs_an_id_and_fields_that_can_be_filled(
    number: str, fields: str, is_right: bool
) -> None:
    settings = Settings(emergency_template_id=number, emergency_template_fields=fields)
    assert ("EMERGENCY_TEMPLATE_FIELDS" not in faults(settings)) is is_right
