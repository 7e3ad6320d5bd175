"""The two scripts of Chinese, character by character and in the Hong Kong standard."""

from __future__ import annotations

import functools
from typing import Any, Final

#: Where Hong Kong writes another form than OpenCC's own Traditional. OpenCC's ``s2hk`` says the
#: same for every text of the pack, and takes 16 MB more in every process.
_HONG_KONG: Final = str.maketrans(
    "僞兌叄喫囪媼嬀悅慍戶挩搵敓敘柺梲棱榲檯氳涗溫溼潙潨熅爲癡皁祕稅竈糉縕纔脣脫膃臥臺菸蒕蔥蔿蘊蛻衆衛覈說踊轀醞鉢鉤銳鍼閱鰮",
    "偽兑叁吃囱媪媯悦愠户捝揾敚敍枴棁稜榅枱氲涚温濕溈潀煴為痴皂秘税灶粽緼才唇脱腽卧台煙蒀葱蒍藴蜕眾衞核説踴輼醖缽鈎鋭針閲鰛",
)


def traditional(text: str) -> str:
    """This text as people in Hong Kong write it."""
    return str(_converter("s2t").convert(text)).translate(_HONG_KONG)


def simplified(text: str) -> str:
    """What somebody wrote in either script, in the script of the catalogue."""
    return text if text.isascii() else str(_converter("t2s").convert(text))


@functools.cache
def _converter(name: str) -> Any:
    # Imported at the first use: the dictionaries take more memory than many a process needs.
    import opencc

    return opencc.OpenCC(name)
