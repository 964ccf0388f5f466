"""Requests counted and timed, in Prometheus' text format."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator

from codeseek import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts by route, method and status, and seconds by route. Routes are templates, so that there are few."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS_S) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._in_flight = 0

    def begin(self) -> None:
        """Count a request that is being answered."""
        with self._guard:
            self._in_flight += 1

    def end(self, route: str, method: str, status: int, took_s: float) -> None:
        """Count an answer."""
        at = sum(took_s > bound for bound in _BOUNDS_S)
        with self._guard:
            self._in_flight -= 1
            self._requests[route, method, status] += 1
            self._buckets[route][at] += 1
            self._seconds[route] += took_s

    def text(self) -> str:
        """Return everything."""
        with self._guard:
            return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield "# HELP codeseek_build_info The version that answers."
        yield "# TYPE codeseek_build_info gauge"
        yield f'codeseek_build_info{{version="{__version__}"}} 1'
        yield "# HELP codeseek_requests_in_flight Requests that are being answered."
        yield "# TYPE codeseek_requests_in_flight gauge"
        yield f"codeseek_requests_in_flight {self._in_flight}"
        yield "# HELP codeseek_requests_total Requests by route, method and status."
        yield "# TYPE codeseek_requests_total counter"
        for (route, method, status), count in sorted(self._requests.items()):
            yield f'codeseek_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}'
        yield "# HELP codeseek_request_seconds How long requests took."
        yield "# TYPE codeseek_request_seconds histogram"
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*_BOUNDS_S, "+Inf"), buckets, strict=True):
                total += count
                yield f'codeseek_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'codeseek_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'codeseek_request_seconds_count{{route="{route}"}} {total}'
