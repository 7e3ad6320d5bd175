"""Every bound of the platform that a trial may want to move, with the platform's own as default."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

Escapes = Literal["as_wechat", "literal", "refuse"]


class LimitRefused(ValueError):
    """A limit that does not exist, or a value it cannot take."""


@dataclass(slots=True)
class Limits:
    """Bounds of the account. Those WeChat does not publish are marked *unpublished*."""

    tags: int = 100
    tags_per_follower: int = 20
    tag_name_bytes: int = 30
    tagging_batch: int = 50
    #: A tag with more followers than this cannot be deleted.
    tag_fans_deletable: int = 100_000
    #: Followers in one page of a list; unpublished for the followers of a tag.
    page_size: int = 10_000
    blacklist_batch: int = 20
    #: Conditional menus alive at once; unpublished (65305 is documented, the number is not).
    conditional_menus: int = 100
    conditional_domains: int = 3
    #: AppIDs of mini-programs linked to the account; a button to any other is refused with 45064.
    mini_programs: list[str] = field(default_factory=list)
    #: Template ids in use; empty means every id is known.
    templates: list[str] = field(default_factory=list)
    #: Paths that answer 48001, as an account without that permission would see them.
    unauthorised: list[str] = field(default_factory=list)
    #: Hosts a follower may be sent back to after OAuth; empty means that of the bank's pages.
    oauth_hosts: list[str] = field(default_factory=list)
    #: Whether ``snsapi_userinfo`` without a tap yields a snapshot page with a virtual openid.
    snapshot_pages: bool = False
    message_sends: int = 5
    message_hours: int = 48
    click_sends: int = 3
    follow_sends: int = 3
    scan_sends: int = 3
    short_window_seconds: int = 60
    #: Mass messages one follower gets in a calendar month.
    mass_a_month: int = 4
    #: Whether the administrator has yet to confirm mass messages on their phone (89504).
    mass_waits_for_admin: bool = False
    #: What MASSSENDJOBFINISH says; with anything but this, such as ``err(10001)``, nobody gets any.
    mass_status: str = "send success"
    permanent_qr_codes: int = 100_000
    token_seconds: int = 7200
    #: How long a replaced token goes on working.
    token_overlap_seconds: int = 300
    forced_refreshes_a_day: int = 20
    forced_refresh_apart_seconds: int = 30
    quota_clears_a_month: int = 10
    path_quota_clears_a_month: int = 50
    #: What happens to ``\\uXXXX`` in a body: menus are refused with 40033 and all else keeps the
    #: escape as literal text (``as_wechat``), or one of the two everywhere.
    unicode_escapes: Escapes = "as_wechat"

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named limits, all or none.

        Raises:
            LimitRefused: a name is unknown or a value is of the wrong kind.
        """
        hints = get_type_hints(Limits)
        for name, value in wanted.items():
            if name not in hints:
                raise LimitRefused(f"there is no limit called {name!r}")
            if not _fits(value, hints[name]):
                raise LimitRefused(f"{name} cannot be {value!r}")
        for name, value in wanted.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind)
