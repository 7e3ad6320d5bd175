"""Which icons a content file may name; each is drawn in ``templates/pages/icons.html``."""

from __future__ import annotations

from typing import Final

ICONS: Final = (
    "alert", "app", "baby", "bell", "bolt", "briefcase", "bus", "calculator", "calendar", "car",
    "card", "chart", "chat", "city", "clock", "coins", "drop", "exchange", "family", "farm",
    "flame", "gift", "globe", "gold", "guide", "heart", "home", "hospital", "key", "list", "lock",
    "mail", "palace", "pen", "percent", "person", "people", "phone", "pie", "pin", "plane", "qr",
    "receipt", "route", "school", "search", "shield", "shop", "sim", "stamp", "star", "tax",
    "ticket", "tools", "train", "transfer", "truck", "umbrella", "wallet",
)  # fmt: skip
