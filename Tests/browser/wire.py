"""A wire between the browser and the installation that a test can cut and mend, to see what the pages do then."""

import socket
import threading
from urllib.parse import urlsplit


class Wire:
    """Forwards bytes from a port of this machine to the address of `base_url`. One thread a direction."""

    def __init__(self, base_url):
        parts = urlsplit(base_url)
        self._target = (parts.hostname, parts.port or 80)
        self._lock = threading.Lock()
        self._open = set()
        self._whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks every connection; new ones are closed at once until `mend`."""
        with self._lock:
            self._whole = False
            broken, self._open = self._open, set()
        for end in broken:
            self._close(end)

    def mend(self):
        with self._lock:
            self._whole = True

    def close(self):
        self.cut()
        self._close(self._listener)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        try:
            far = socket.create_connection(self._target)
        except OSError:
            return self._close(near)
        with self._lock:
            whole = self._whole
            if whole:
                self._open |= {near, far}
        if not whole:
            self._close(near)
            return self._close(far)
        threading.Thread(target=self._forward, args=(near, far), daemon=True).start()
        self._forward(far, near)

    def _forward(self, source, sink):
        try:
            while block := source.recv(65536):
                sink.sendall(block)
        except OSError:
            pass
        for end in (source, sink):
            self._close(end)
        with self._lock:
            self._open -= {source, sink}

    @staticmethod
    def _close(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
