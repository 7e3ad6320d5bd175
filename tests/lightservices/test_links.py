"""Where a page may send people: our own paths and plain https sites."""

from __future__ import annotations

import pytest

from lightservices.links import fault_of


@pytest.mark.parametrize(
    "address", ["/s/outlets", "https://bank.example", "https://a.bank.example/x?y=1"]
)
def test_an_honest_address_is_allowed(address: str) -> None:
    assert fault_of(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "", "//evil.example", "http://bank.example", "javascript:alert(1)", "https://u:p@bank.example",
        "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
        "https://bank.example:8443/", "https://localhost/", "https://bank.example/ x",
        "https://bank.example\\@evil.example", "/s/x\n", "https://[",
        "https://bank.example/" + "x" * 1024,
    ],
)  # fmt: skip
def test_anything_else_is_refused(address: str) -> None:
    assert fault_of(address)
