"""What this machine has to offer: cores and memory, with container limits counted, and a place for the kit's records."""

import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux shows a container's limits (cgroup v2; v1 keeps a folder a controller)."""


def physical_cores() -> int:
    """Cores to compute on: physical ones, no more than this process may use.

    Two threads on one physical core share its arithmetic units, so llama.cpp
    gains nothing from hyper-threads.
    """
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    quota = _cgroup_cpus()
    limits = [cores, allowed] + ([quota] if quota else [])
    return max(1, int(min(limits)))


def free_memory() -> int:
    """Bytes that a new model may use: what the system has free, and what the container allows."""
    free = psutil.virtual_memory().available
    limit = _read_number(CGROUP / "memory.max", CGROUP / "memory/memory.limit_in_bytes")
    used = _read_number(CGROUP / "memory.current", CGROUP / "memory/memory.usage_in_bytes")
    if limit is None or used is None:
        return free
    return min(free, max(0, limit - max(0, used - _reclaimable())))


def home() -> Path:
    """The kit's folder for this user: ``$ZEPHYRKIT_HOME``, or the system's place for application data."""
    chosen = os.environ.get("ZEPHYRKIT_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("zephyrkit", appauthor=False)


def _reclaimable() -> int:
    """Bytes of file cache in the container's count that the kernel gives back on demand."""
    for stat in (CGROUP / "memory.stat", CGROUP / "memory/memory.stat"):
        try:
            lines = stat.read_text().splitlines()
        except OSError:
            continue
        return sum(int(v) for k, v in (line.split() for line in lines) if k == "inactive_file")
    return 0


def _cgroup_cpus() -> float | None:
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    quota = _read_number(CGROUP / "cpu/cpu.cfs_quota_us")
    period = _read_number(CGROUP / "cpu/cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _read_number(*paths: Path) -> int | None:
    for path in paths:
        try:
            return int(path.read_text())
        except (OSError, ValueError):
            continue
    return None
