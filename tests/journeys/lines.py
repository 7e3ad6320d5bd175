"""Lines to the servers the program needs, which a test can freeze or cut."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from select import select as wait_for


class Line:
    """A line to a server that can freeze (bytes stop, the connection stays) and be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._frozen = threading.Event()
        self._cut = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._closing = False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._frozen.set()

    def thaw(self) -> None:
        self._frozen.clear()

    def cut(self) -> None:
        """Every connection ends, and no other comes about, as if the server were gone."""
        self._cut.set()
        for near in list(self._open):
            with suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self._closing = True
        self._server.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if self._cut.is_set():
                near.close()
                continue
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        # Either end may hang up in the middle of something; that is the end of this connection.
        with suppress(OSError), near, socket.create_connection(self._target) as far:
            self._open.add(near)
            while not (self._closing or self._cut.is_set()):
                ready, _, _ = wait_for([near, far], [], [], 0.05)
                if self._frozen.is_set():
                    time.sleep(0.05)
                    continue
                for one in ready:
                    if not (data := one.recv(65536)):
                        return
                    (far if one is near else near).sendall(data)
        self._open.discard(near)
