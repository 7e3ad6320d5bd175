"""Numbers people type: telephone numbers to be kept, card and identity numbers never to be."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: A mobile number, or one with its area code; Hong Kong, Macao and abroad with their country code.
_MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE: Final = re.compile(r"0\d{2,3}[2-9]\d{6,7}", re.ASCII)
_ABROAD: Final = re.compile(r"\+(?!86)\d{8,15}", re.ASCII)
_CLUTTER: Final = re.compile(r"[\s\-—–()（）.]")
_CHINA: Final = re.compile(r"^(?:\+|00)86(?=[01])")

_RUN: Final = re.compile(r"(?<![\dA-Za-z])(\d(?:[ \-]?\d){13,18}(?:[ \-]?[Xx])?)(?![\dA-Za-z])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


def telephone(typed: str) -> str | None:
    """The number without its clutter; None when it is none that can be called."""
    plain = _CLUTTER.sub("", half_width(typed))
    plain = _CHINA.sub("", plain)
    known = (_MOBILE, _LANDLINE, _ABROAD)
    return plain if any(shape.fullmatch(plain) for shape in known) else None


def masked(number: str) -> str:
    """As others than the desk may see it: 138****5678."""
    if len(number) < 8:
        return "*" * len(number)
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


def private_number(text: str) -> str:
    """What kind of number stands in the text that must not be kept; empty when there is none.

    Only numbers whose check digit is right are meant: an order's or a receipt's number may stay.
    """
    for found in _RUN.finditer(half_width(text)):
        digits = re.sub(r"[ \-]", "", found[1]).upper()
        if _is_identity(digits):
            return "身份证号码"
        if digits.isdigit() and 15 <= len(digits) <= 19 and _is_card(digits):
            return "银行卡号"
    return ""


def half_width(text: str) -> str:
    """Full-width digits and signs as everybody else types them."""
    return unicodedata.normalize("NFKC", text)


def _is_identity(digits: str) -> bool:
    if len(digits) != 18 or not digits[:17].isdigit():
        return False
    total = sum(int(one) * weight for one, weight in zip(digits[:17], _WEIGHTS, strict=True))
    month, day = int(digits[10:12]), int(digits[12:14])
    return _CHECKS[total % 11] == digits[17] and 1 <= month <= 12 and 1 <= day <= 31


def _is_card(digits: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(digits)):
        figure = int(sign) * (1 + place % 2)
        total += figure - 9 if figure > 9 else figure
    # Cards begin with 3 to 6 or, of this country's banks, with 62 or 9.
    return total % 10 == 0 and digits[0] in "34569"
