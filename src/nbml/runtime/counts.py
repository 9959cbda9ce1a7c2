"""Counters of a service in the text form of Prometheus: the door stands ahead of BentoML's own counters."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

#: seconds of the buckets
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
KIND = "text/plain; version=0.0.4; charset=utf-8"


class Counts:
    """Requests by endpoint and status, rows, and how long answers took. One thread writes."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.rows = 0
        self.seconds = 0.0
        self.took = [0] * (len(BUCKETS) + 1)

    def add(self, endpoint: str, status: int, rows: int, seconds: float) -> None:
        """One answered request."""
        self.requests[endpoint, status] += 1
        self.rows += rows
        self.seconds += seconds
        self.took[bisect_left(BUCKETS, seconds)] += 1

    def text(self, version: str, dropped: int | None = None) -> bytes:
        """What /metrics says of them; ``dropped``: requests that are not in the traffic log."""
        label = f'service_version="{_escaped(version)}"'
        lines = _family("nbml_request_total", "counter", "Answered requests")
        lines += [
            f'nbml_request_total{{endpoint="{_escaped(endpoint)}",http_response_code="{status}",{label}}} {count}'
            for (endpoint, status), count in sorted(self.requests.items())
        ]
        lines += [*_family("nbml_rows_total", "counter", "Rows that were asked about"), f"nbml_rows_total{{{label}}} {self.rows}"]
        if dropped is not None:
            lines += _family("nbml_traffic_dropped_total", "counter", "Requests that the traffic log could not take")
            lines.append(f"nbml_traffic_dropped_total{{{label}}} {dropped}")
        lines += _family("nbml_request_duration_seconds", "histogram", "Seconds from the last byte of the headers to the answer")
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.took, strict=True):
            total += count
            lines.append(f'nbml_request_duration_seconds_bucket{{le="{bound}",{label}}} {total}')
        lines += [f"nbml_request_duration_seconds_sum{{{label}}} {self.seconds}", f"nbml_request_duration_seconds_count{{{label}}} {total}"]
        return ("\n".join(lines) + "\n").encode()


def _family(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
