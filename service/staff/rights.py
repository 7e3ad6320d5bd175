"""What each role may do, and where: a role counts at a branch and at everything below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

#: ``read`` see it; ``edit`` write drafts; ``propose`` put them before a second person; ``review``
#: approve or return what another proposed; ``export`` take lists away as files.
Act = Literal[
    "read",
    "edit",
    "propose",
    "review",
    "publish_frame",
    "open_emergency",
    "close_emergency",
    "manage_staff",
    "read_audit",
    "export",
]
ACTS: Final[frozenset[str]] = frozenset(get_args(Act))


@dataclass(frozen=True, slots=True)
class Role:
    """What people call it, what it is for, and what it may do."""

    title: str
    says: str
    acts: frozenset[str]
    #: Whoever hands out rights, or watches over everybody, does nothing else.
    stands_alone: bool = False


ROLES: Final[Mapping[str, Role]] = MappingProxyType(
    {
        "editor": Role(
            "编辑",
            "编写本地专区、菜单和优惠，提交审批",
            frozenset({"read", "edit", "propose", "export"}),
        ),
        "checker": Role("复核", "审批别人提交的改动", frozenset({"read", "review", "export"})),
        "operations": Role(
            "总行值班",
            "管理总行菜单框架，开启和关闭应急专区，也可编写和审批",
            frozenset(
                {
                    *("read", "edit", "propose", "review", "export"),
                    *("publish_frame", "open_emergency", "close_emergency"),
                }
            ),
        ),
        "administrator": Role(
            "用户管理员", "管理账号，提出授权申请", frozenset({"read", "manage_staff"}), True
        ),
        "auditor": Role(
            "审计", "查看和导出审计记录", frozenset({"read", "read_audit", "export"}), True
        ),
        "reader": Role("只读", "只能查看", frozenset({"read"})),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One role at one branch and everything below it."""

    role: str
    branch: str


def acts_of(role: str) -> frozenset[str]:
    """What this role may do; a role that is no longer known may do nothing."""
    found = ROLES.get(role)
    return found.acts if found else frozenset()


def may(grants: Iterable[Grant], act: str, lineage: Sequence[str]) -> bool:
    """Whether these grants allow the act at a branch, given its codes up to head office.

    An unknown branch has no lineage, and nobody may do anything there.
    """
    return any(grant.branch in lineage and act in acts_of(grant.role) for grant in grants)


def held(grants: Iterable[Grant], act: str) -> bool:
    """Whether the act is allowed anywhere at all."""
    return any(act in acts_of(grant.role) for grant in grants)


def covers(grants: Iterable[Grant], lineage: Sequence[str]) -> bool:
    """Whether any grant reaches the branch, so that it exists for whoever holds it."""
    return any(grant.branch in lineage for grant in grants)


def reach(grants: Iterable[Grant], act: str) -> frozenset[str]:
    """The branches at which the act was granted; it is allowed there and below."""
    return frozenset(grant.branch for grant in grants if act in acts_of(grant.role))


def clashes(roles: Iterable[str]) -> str:
    """Why nobody may hold all these roles at once, in a Chinese sentence; "" when they may."""
    held_roles = sorted(set(roles))
    for role in held_roles:
        if role in ROLES and ROLES[role].stands_alone and len(held_roles) > 1:
            return f"「{ROLES[role].title}」不能兼任其他角色"
    return ""
