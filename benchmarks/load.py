"""A small load generator: prepared requests over keep-alive connections, one thread, epoll.

It must cost far less per request than any server it measures, so it parses nothing but the length
of the answer.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """What came of one run."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class _Line:
    """One connection and the answer it is waiting for."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.got = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def finished(self) -> str | None:
        """The answer's status once all of it is here."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.got += piece
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return None
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        if at < 0:
            return head[9:12].decode() if self.got.endswith(b"0\r\n\r\n") else None
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        return head[9:12].decode() if len(body) >= length else None

    def closes(self) -> bool:
        return b"connection: close" in self.got[:400].lower()


def run(
    port: int, requests: Sequence[bytes], *, connections: int = 8, rate: float | None = None
) -> Outcome:
    """Send all requests; as fast as the server answers, or at ``rate`` per second."""
    selector = selectors.DefaultSelector()
    outcome = Outcome()
    waiting = iter(requests)
    start = time.perf_counter()
    free = [_Line(("127.0.0.1", port)) for _ in range(connections)]
    sent = done = 0
    while done < len(requests):
        due = len(requests) if rate is None else int((time.perf_counter() - start) * rate) + 1
        while free and sent < min(due, len(requests)):
            line = free.pop()
            line.send(next(waiting))
            selector.register(line.socket, selectors.EVENT_READ, line)
            sent += 1
        for key, _ in selector.select(timeout=None if rate is None else 0.002):
            line = key.data
            if (status := line.finished()) is None:
                continue
            outcome.latencies.append(time.perf_counter() - line.sent_at)
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
            selector.unregister(line.socket)
            if line.closes():
                line.socket.close()
                line.open()
            free.append(line)
            done += 1
    outcome.seconds = time.perf_counter() - start
    for line in free:
        line.socket.close()
    return outcome


def post(port: int, query: str, body: bytes) -> bytes:
    """One prepared push."""
    return (
        f"POST /wechat?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
