"""Weak passwords are refused with the reason; strong ones are hashed and compared."""

from __future__ import annotations

import pytest

from service.staff import passwords


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "至少 12 位"),
        ("Short-77", "至少 12 位"),
        ("alllowercaseonly", "三种"),
        ("UPPER1234567", "三种"),
        ("aA1aA1aA1aA1", "重复"),
        ("Password1234", "容易被猜到"),
        ("Qwerty123456!", "容易被猜到"),
        ("Li.Wei-2026-x", "登录名"),
        ("x" * 200, "最多 128 位"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, reason: str) -> None:
    assert any(reason in fault for fault in passwords.faults(password, login="li.wei"))


@pytest.mark.parametrize(
    "password",
    [
        "Eigene-Worte-77",
        "correct horse battery staple",
        "今天早上在外滩喝了一杯热豆浆配生煎真不错啊",
    ],
)
def test_a_strong_one_is_taken(password: str) -> None:
    assert passwords.faults(password, login="li.wei") == []


def test_generated_passwords_are_strong_and_never_the_same() -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50
    assert all(not passwords.faults(one) for one in made)


def test_a_hash_knows_its_password_and_nothing_else() -> None:
    kept = passwords.hashed("Eigene-Worte-77")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.is_right("Eigene-Worte-77", kept)
    assert not passwords.is_right("Eigene-Worte-78", kept)
    assert not passwords.is_right("Eigene-Worte-77", None)
    assert not passwords.is_right("Eigene-Worte-77", "no hash at all")
    assert not passwords.is_outdated(kept)
    assert passwords.is_outdated(kept.replace("t=2", "t=1"))
