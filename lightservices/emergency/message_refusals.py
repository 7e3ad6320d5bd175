"""Why a telling was not begun, in words for whoever tried, with a way out."""

from __future__ import annotations

from lightservices.emergency.refusals import Refused


class NotInDrill(Refused):
    """A drill tells nobody."""

    way_out = "演练只展示页面、回复和菜单；真实发生时请另行提出。"

    def __init__(self) -> None:
        super().__init__("演练不发送消息")


class ToldAlready(Refused):
    """This is being told; nobody is told twice."""

    way_out = "请等它发完，或先停止。"

    def __init__(self) -> None:
        super().__init__("这个渠道正在发送，不会重复发送")


class NobodyLeft(Refused):
    """There is nobody this channel may tell."""

    way_out = "请看“不会发给”里的原因，或换一个渠道。"

    def __init__(self) -> None:
        super().__init__("这个渠道现在没有可以告知的粉丝")


class NotNews(Refused):
    """It has been over for too long to be told."""

    way_out = "区域内的菜单和页面早已恢复，不必再发消息。"

    def __init__(self) -> None:
        super().__init__("应急专区结束已超过两天")


class NoTemplate(Refused):
    """The bank has set up no template."""

    way_out = (
        "请管理员先在公众平台申请“服务通知”类模板，再在设置 EMERGENCY_TEMPLATE_ID 和 "
        "EMERGENCY_TEMPLATE_FIELDS 里填写。"
    )

    def __init__(self) -> None:
        super().__init__("本行还没有配置应急通知的模板")
