"""Words that ask for nothing: greetings, thanks, goodbyes, a smile; each is returned in kind."""

from __future__ import annotations

import re
from typing import Final

_GREETINGS: Final = frozenset(
    ("你好", "您好", "在吗", "在么", "早", "早上好", "上午好", "中午好", "下午好", "晚上好", "嗨",
     "哈喽", "喂", "hello", "hi", "hey")
)  # fmt: skip
_THANKS: Final = frozenset(
    ("谢谢", "谢谢你", "谢谢您", "感谢", "多谢", "好的", "知道了", "明白了", "收到", "ok", "thanks")
)
_GOODBYES: Final = frozenset(("再见", "拜拜", "bye", "晚安"))
#: WeChat's own faces arrive as [微笑] or /:rose.
_FACES: Final = re.compile(r"\[[^\[\]]{1,6}\]|/:[!-~]{1,8}")
_PARTICLES: Final = "啊呀哦呢吧啦哈"


def returned(text: str) -> str:
    """What to say back before offering help; nothing when the text asks for something."""
    said = "".join(sign for sign in _FACES.sub("", text.lower()) if sign.isalnum())
    word = said.rstrip(_PARTICLES)
    if not said or word in _GREETINGS:
        return "您好！"
    if word in _GOODBYES:
        return "再见，祝您一切顺利！"
    return "不客气！" if word in _THANKS else ""
