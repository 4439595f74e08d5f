"""A client that goes on asking the same while something is broken, and remembers how it fared."""

import threading
import time

import requests


class Watch(threading.Thread):
    """`with Watch(server.base + path, ground) as watch:` asks until the end; then `failures` and `milliseconds` say how it went."""

    def __init__(self, url, municipality="birch", pause=0.01, seconds_max=10):
        super().__init__(daemon=True)
        self.url, self.municipality, self.pause, self.seconds_max = url, municipality, pause, seconds_max
        self.milliseconds, self.failures, self.stopping = [], [], threading.Event()

    def run(self):
        session = requests.Session()
        session.headers["NGSILD-Tenant"] = self.municipality
        while not self.stopping.is_set():
            started = time.monotonic()
            try:
                answer = session.get(self.url, timeout=self.seconds_max)
                if answer.status_code != 200:
                    self.failures.append(f"{answer.status_code} {answer.text[:200]}")
            except requests.RequestException as error:
                self.failures.append(f"{type(error).__name__}: {error}"[:200])
                session.close()
            self.milliseconds.append((time.monotonic() - started) * 1000)
            self.stopping.wait(self.pause)

    def percentile(self, share):
        ordered = sorted(self.milliseconds) or [0.0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(self.seconds_max + 5)
