"""Signature and encryption, against the platform's vectors and against another implementation."""

from __future__ import annotations

import base64
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from service.wechat.envelope import Envelope, EnvelopeRefused, is_signed, sign
from service.wechat.fields import fields_of

TOKEN, APPID = "sandboxtoken", "wx0000000000sandbox"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
ENVELOPE = Envelope(token=TOKEN, appid=APPID, keys=[KEY])
THEIRS = WeChatCrypto(TOKEN, KEY, APPID)


@pytest.mark.parametrize(
    ("timestamp", "nonce", "signature"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_signatures_equal_the_platforms_examples(
    timestamp: str, nonce: str, signature: str
) -> None:
    assert sign("AAAAA", timestamp, nonce) == signature
    assert is_signed(signature, "AAAAA", timestamp, nonce)
    assert not is_signed(signature.upper(), "AAAAA", timestamp, nonce)
    assert not is_signed("ü", "AAAAA", timestamp, nonce)


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(message: bytes) -> None:
    assert ENVELOPE.open(ENVELOPE.seal(message)) == message


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80))
def test_another_implementation_reads_our_replies_and_we_read_its(words: str) -> None:
    document = f"<xml><Content>{words.replace('&', '').replace('<', '')}</Content></xml>"
    outer = ENVELOPE.sealed_reply(document.encode(), timestamp="1700000000", nonce="n1")
    signature = fields_of(outer)["MsgSignature"]
    opened = THEIRS.decrypt_message(outer.decode(), signature, "1700000000", "n1")
    assert (opened.decode() if isinstance(opened, bytes) else opened) == document
    sealed = THEIRS.encrypt_message(document, "n2", "1700000001")
    assert ENVELOPE.open(fields_of(sealed.encode())["Encrypt"]) == document.encode()


def sealed_by_hand(plain: bytes) -> str:
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def padded(plain: bytes, pad: int) -> bytes:
    return plain + bytes([pad]) * pad


@pytest.mark.parametrize("length", range(64))
def test_every_length_is_padded_to_whole_blocks(length: int) -> None:
    sealed = base64.b64decode(ENVELOPE.seal(b"x" * length))
    assert len(sealed) % 32 == 0


BODY = bytes(16) + struct.pack(">I", 2) + b"hi" + APPID.encode()


@pytest.mark.parametrize(
    ("sealed", "fault"),
    [
        ("", "blocks"),
        ("!!!!", "base64"),
        ("AAAA", "blocks"),
        (base64.b64encode(b"x" * 15).decode(), "blocks"),
        (sealed_by_hand(bytes(48)), "padding"),
        (sealed_by_hand(b"\x21" * 48), "padding"),
        (sealed_by_hand(bytes(47) + b"\x02"), "padding"),
        (sealed_by_hand(padded(bytes(16), 16)), "length"),
        (
            sealed_by_hand(padded(bytes(16) + struct.pack(">I", 2**31) + b"hi", 10)),
            "length",
        ),
        (
            sealed_by_hand(padded(BODY.replace(b"sandbox", b"another"), 32 - len(BODY) % 32)),
            "appid",
        ),
        (Envelope(token=TOKEN, appid=APPID, keys=["Z" * 42 + "A"]).seal(b"hi"), None),
    ],
    ids=lambda value: "" if value is None or len(value) > 9 else value,
)
def test_every_forged_envelope_is_refused(sealed: str, fault: str | None) -> None:
    with pytest.raises(EnvelopeRefused) as refused:
        ENVELOPE.open(sealed)
    assert fault is None or refused.value.fault == fault


@given(st.binary(min_size=16, max_size=200).filter(lambda data: len(data) % 16 == 0))
def test_garbage_under_our_key_is_refused_and_never_raises_otherwise(data: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        ENVELOPE.open(sealed_by_hand(data))


def test_pushes_under_the_previous_key_still_open() -> None:
    rotated = Envelope(token=TOKEN, appid=APPID, keys=["Z" * 42 + "A", KEY])
    assert rotated.open(ENVELOPE.seal(b"on its way")) == b"on its way"
