"""What this process costs the machine, as Prometheus's own client reads it."""

from prometheus_client import ProcessCollector

_collector = ProcessCollector(registry=None)
FIGURES = {
    "process_cpu_seconds": "cpu_seconds",
    "process_resident_memory_bytes": "resident_bytes",
    "process_open_fds": "open_files",
}


def process_figures() -> dict[str, float]:
    """`cpu_seconds`, `resident_bytes` and `open_files`; empty where there is no /proc."""
    return {
        FIGURES[family.name]: family.samples[0].value
        for family in _collector.collect()
        if family.name in FIGURES and family.samples
    }
