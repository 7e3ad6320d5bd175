"""Which addresses a page may send a follower to: our own paths, and plain https sites."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from config import Settings

#: WeChat's own limit for the address behind a menu button; pages keep to the same.
MOST_BYTES = 1024
#: What to do about a host that is not on the list.
OUTSIDE = "改用名单里的域名，或请管理员把它写入设置 LINK_HOSTS"


def fault_of(address: str) -> str:
    """What is wrong with this address, in the editor's language; empty when it may be used."""
    if not address:
        return "缺少网址"
    if len(address.encode()) > MOST_BYTES:
        return f"网址超过 {MOST_BYTES} 字节"
    if any(sign.isspace() or ord(sign) < 32 or sign in "\\\"'<>" for sign in address):
        return "网址里有空格或不允许的符号"
    if address.startswith("/"):
        return "站内地址不能以两条斜线开头" if address.startswith("//") else ""
    return _fault_of_site(address)


def outside(settings: Settings, addresses: Iterable[str]) -> list[str]:
    """What is wrong with those that lead to hosts beyond the bank's list; without a list, nothing.

    Our own pages are always within it. Addresses that are faulty for other reasons are not told.
    """
    allowed = {one.strip().lower() for one in settings.link_hosts.split(",") if one.strip()}
    if not allowed:
        return []
    allowed.add(urlsplit(settings.public_base_url).hostname or "")
    hosts = dict.fromkeys(
        urlsplit(one).hostname or ""
        for one in addresses
        if not one.startswith("/") and not fault_of(one)
    )
    return [f"域名 {host} 不在允许的名单里" for host in hosts if host not in allowed]


def _fault_of_site(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "网址写法有误"
    if parts.scheme != "https":
        return "网址必须以 https:// 开头"
    if parts.username is not None or parts.password is not None:
        return "网址里不能带用户名或密码"
    if port not in (None, 443):
        return "网址不能带端口"
    if _is_ip(host) or "." not in host:
        return "网址必须用域名，不能用 IP 地址"
    return ""


def _is_ip(host: str) -> bool:
    # A host whose last label is a number is an IPv4 address in one of its many spellings.
    if host.rsplit(".", 1)[-1].isdigit() or host.startswith("0x"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
