"""Who is let in, who is refused, and that nobody learns why."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.webhook.door import BODY_CAP, NOT_ALLOWED, REFUSED, SUCCESS, TOO_LARGE, Door, Webhook
from service.wechat.envelope import sign
from tests import pushes
from tests.service.webhook.conftest import Knocking

CLICK = pushes.event("CLICK", EventKey="svc:promotions")


def with_mode(knocking: Knocking, mode: str) -> Webhook:
    return Webhook(replace(knocking.wiring, settings=replace(knocking.settings, wechat_mode=mode)))


def test_the_handshake_echoes_the_word_and_nothing_else(knocking: Knocking) -> None:
    query, _ = pushes.plain(knocking.settings, b"", echostr="5927782489442352469")
    answer = knocking.webhook.answer("GET", query, b"")
    assert (answer.status, answer.body) == ("200 OK", b"5927782489442352469")


def test_the_handshake_refuses_a_wrong_signature(knocking: Knocking) -> None:
    query, _ = pushes.plain(knocking.settings, b"", echostr="x", signature="0" * 40)
    assert knocking.webhook.answer("GET", query, b"") == REFUSED


def test_a_sealed_click_is_answered_sealed(knocking: Knocking) -> None:
    reply = knocking.opened(knocking.post(CLICK))
    assert reply["Content"] == "您点了 svc:promotions，第 1 次"
    assert (reply["ToUserName"], reply["FromUserName"]) == (pushes.FOLLOWER, pushes.ACCOUNT)


def test_the_seal_of_an_answer_is_signed_with_its_own_time_and_nonce(knocking: Knocking) -> None:
    from service.wechat.fields import fields_of

    outer = fields_of(knocking.post(CLICK).body)
    expected = sign(
        knocking.settings.wechat_token, outer["TimeStamp"], outer["Nonce"], outer["Encrypt"]
    )
    assert outer["MsgSignature"] == expected


def test_plaintext_cannot_slip_past_safe_mode(knocking: Knocking) -> None:
    assert knocking.webhook.answer("POST", *pushes.plain(knocking.settings, CLICK)) == REFUSED
    assert knocking.heard == []


def test_plaintext_is_answered_in_plaintext_where_it_is_allowed(knocking: Knocking) -> None:
    answer = with_mode(knocking, "plain").answer("POST", *pushes.plain(knocking.settings, CLICK))
    assert b"<Content>" in answer.body


@pytest.mark.parametrize("mode", ["safe", "compat"])
def test_a_push_stripped_of_its_seal_cannot_carry_another_body(
    knocking: Knocking, mode: str
) -> None:
    query, _ = pushes.sealed(knocking.settings, CLICK)
    sealing = ("encrypt_type=", "msg_signature=")
    stripped = "&".join(pair for pair in query.split("&") if not pair.startswith(sealing))
    forged = pushes.event("unsubscribe")
    assert with_mode(knocking, mode).answer("POST", stripped, forged) == REFUSED
    assert knocking.heard == []


def test_compat_mode_reads_only_the_sealed_part(knocking: Knocking) -> None:
    query, body = pushes.sealed(knocking.settings, CLICK)
    forged = body.replace(b"<xml>", b"<xml><Event>unsubscribe</Event><EventKey>forged</EventKey>")
    answer = with_mode(knocking, "compat").answer("POST", query, forged)
    assert "svc:promotions" in knocking.opened(answer)["Content"]


def test_a_plaintext_signature_cannot_carry_a_second_body(knocking: Knocking) -> None:
    webhook = with_mode(knocking, "plain")
    query, body = pushes.plain(knocking.settings, CLICK)
    assert webhook.answer("POST", query, body).status == "200 OK"
    other = pushes.event("CLICK", EventKey="svc:forged")
    assert webhook.answer("POST", query, other) == REFUSED
    assert webhook.answer("POST", query, body).status == "200 OK"


@pytest.mark.parametrize("shift", [-301, 301, -86_400, 10**9])
def test_a_stale_or_future_timestamp_is_refused(knocking: Knocking, shift: int) -> None:
    assert knocking.post(CLICK, timestamp=str(int(time.time()) + shift)) == REFUSED


@pytest.mark.parametrize("shift", [-290, 290])
def test_clocks_may_differ_a_little(knocking: Knocking, shift: int) -> None:
    assert knocking.post(CLICK, timestamp=str(int(time.time()) + shift)).status == "200 OK"


@pytest.mark.parametrize(
    "overrides",
    [
        {"msg_signature": "0" * 40},
        {"msg_signature": ""},
        {"msg_signature": "é"},
        {"timestamp": "soon"},
        {"timestamp": "١٢٣"},
        {"timestamp": "9" * 40},
        {"nonce": ""},
        {"encrypt_type": "raw"},
    ],
)
def test_wrong_parameters_get_the_one_refusal(
    knocking: Knocking, overrides: dict[str, str]
) -> None:
    assert knocking.post(CLICK, **overrides) == REFUSED
    assert knocking.heard == []


def test_the_plain_signature_is_not_taken_for_the_message_signature(knocking: Knocking) -> None:
    query, _ = pushes.sealed(knocking.settings, CLICK)
    plain = dict(pair.split("=") for pair in query.split("&"))["signature"]
    assert knocking.post(CLICK, msg_signature=plain) == REFUSED


@pytest.mark.parametrize("name", ["timestamp", "nonce", "msg_signature", "encrypt_type"])
def test_absent_and_repeated_parameters_are_refused(knocking: Knocking, name: str) -> None:
    query, body = pushes.sealed(knocking.settings, CLICK)
    pairs = query.split("&")
    absent = "&".join(p for p in pairs if not p.startswith(f"{name}="))
    repeated = "&".join([*pairs, *(p for p in pairs if p.startswith(f"{name}="))])
    assert knocking.webhook.answer("POST", absent, body) == REFUSED
    assert knocking.webhook.answer("POST", repeated, body) == REFUSED


def test_another_accounts_message_is_refused(knocking: Knocking) -> None:
    other = replace(knocking.settings, wechat_appid="wxanother")
    query, body = pushes.sealed(other, CLICK)
    assert knocking.webhook.answer("POST", query, body) == REFUSED


def test_the_previous_key_still_opens_and_the_current_one_seals(knocking: Knocking) -> None:
    new_key = "Z" * 42 + "A"
    rotated = replace(
        knocking.settings,
        wechat_aes_key=new_key,
        wechat_aes_key_previous=knocking.settings.wechat_aes_key,
    )
    webhook = Webhook(replace(knocking.wiring, settings=rotated))
    answer = webhook.answer("POST", *pushes.sealed(knocking.settings, CLICK))
    assert answer.status == "200 OK"
    from service.wechat.fields import fields_of

    assert pushes.envelope(rotated).open(fields_of(answer.body)["Encrypt"])


def test_white_space_around_the_sealed_text_does_no_harm(knocking: Knocking) -> None:
    query, body = pushes.sealed(knocking.settings, CLICK)
    spaced = body.replace(b"<Encrypt>", b"<Encrypt>\n  ").replace(b"</Encrypt>", b"\n</Encrypt>")
    assert knocking.webhook.answer("POST", query, spaced).status == "200 OK"


def test_other_methods_are_not_allowed(knocking: Knocking) -> None:
    assert knocking.webhook.answer("PUT", *pushes.sealed(knocking.settings, CLICK)) == NOT_ALLOWED


@pytest.mark.parametrize("length", [str(BODY_CAP + 1), "-1", "²", "many"])
def test_a_body_larger_than_any_push_is_refused_unread(knocking: Knocking, length: str) -> None:
    door = Door(lambda *_: [b"inside"], knocking.wiring)
    statuses: list[str] = []
    environ = {
        "PATH_INFO": "/wechat",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": length,
        "wsgi.input": BytesIO(),
    }
    door(environ, lambda status, _headers: statuses.append(status))  # type: ignore[arg-type,return-value]
    assert statuses == [TOO_LARGE.status]


def test_everything_else_goes_through_the_door(knocking: Knocking) -> None:
    door = Door(lambda *_: [b"inside"], knocking.wiring)
    assert door({"PATH_INFO": "/s/outlets"}, lambda *_: None) == [b"inside"]  # type: ignore[arg-type,return-value]


def _hostile_documents() -> st.SearchStrategy[bytes]:
    fields = st.dictionaries(
        st.sampled_from(
            [
                "ToUserName",
                "FromUserName",
                "CreateTime",
                "MsgType",
                "Event",
                "EventKey",
                "Latitude",
                "Longitude",
                "Precision",
                "Location_X",
                "Content",
                "MsgId",
                "OpenID",
                "RevokeInfo",
                "ScanCodeInfo",
            ]
        ),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    "event",
                    "text",
                    "LOCATION",
                    "location",
                    "nan",
                    "inf",
                    "1e999",
                    "-0",
                    "9" * 30,
                    "<x/>",
                    "]]>",
                    "unsubscribe",
                    "user_authorization_revoke",
                ]
            ),
        ),
        max_size=12,
    )
    built = fields.map(
        lambda found: "".join(
            ["<xml>", *(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in found.items()), "</xml>"]
        ).encode("utf-8", "replace")
    )
    return st.one_of(
        st.binary(max_size=400),
        built,
        built.map(lambda document: document.decode().encode("utf-16")),
        built.map(lambda document: b'<!DOCTYPE x [<!ENTITY a "b">]>' + document),
        st.integers(1, 3000).map(lambda depth: b"<xml>" * depth),
    )


@given(document=_hostile_documents(), is_sealed=st.booleans())
@example(document=b"<xml>" * 20_000, is_sealed=True)
@example(document=b"", is_sealed=True)
@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_body_raises_and_every_answer_is_one_of_ours(
    knocking: Knocking, document: bytes, is_sealed: bool
) -> None:
    push = pushes.sealed if is_sealed else pushes.plain
    query, body = push(knocking.settings, document)
    if not is_sealed:
        assert knocking.webhook.answer("POST", query, body) == REFUSED
        return
    answer = knocking.webhook.answer("POST", query, body)
    assert answer == SUCCESS or answer.body.startswith(b"<xml><Encrypt>")


@given(encrypted=st.one_of(st.text(max_size=200), st.binary(max_size=200).map(repr)))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_sealed_text_raises(knocking: Knocking, encrypted: str) -> None:
    query, body = pushes.sealed_text(
        knocking.settings, encrypted.encode("utf-8", "replace").decode()
    )
    assert knocking.webhook.answer("POST", query, body) == REFUSED


@given(query=st.text(max_size=300), method=st.sampled_from(["GET", "POST"]))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_query_raises(knocking: Knocking, query: str, method: str) -> None:
    assert knocking.webhook.answer(method, query, CLICK) == REFUSED
