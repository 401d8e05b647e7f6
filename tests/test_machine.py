"""A container's limits count: cores and memory as files of a cgroup say."""

import psutil
import pytest

import zephyrkit as zk
from zephyrkit import machine


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def write(folder, **files):
    """Write files of a cgroup: ``cpu_max`` becomes cpu.max."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def test_without_limits_the_system_is_the_limit(cgroup):
    assert 1 <= machine.physical_cores() <= psutil.cpu_count()
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    write(cgroup, cpu_max="max 100000", memory_max="max", memory_current="1")
    assert 1 <= machine.physical_cores() <= psutil.cpu_count()
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize("quota, cores", [("50000 100000", 1), ("150000 100000", 1), ("100000 100000", 1)])
def test_a_quota_of_processor_time(cgroup, quota, cores):
    write(cgroup, cpu_max=quota)
    assert machine.physical_cores() == cores


def test_a_quota_in_the_older_form(cgroup):
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu/cpu.cfs_quota_us").write_text("100000")
    (cgroup / "cpu/cpu.cfs_period_us").write_text("100000")
    assert machine.physical_cores() == 1
    (cgroup / "cpu/cpu.cfs_quota_us").write_text("-1")
    assert machine.physical_cores() >= 1


def test_a_memory_limit_counts_what_is_used_and_what_can_be_given_back(cgroup):
    write(cgroup, memory_max=str(2 * 10**9), memory_current=str(15 * 10**8))
    assert machine.free_memory() == 5 * 10**8
    write(cgroup, memory_stat="anon 1000\ninactive_file 200000000\nactive_file 7\n")
    assert machine.free_memory() == 7 * 10**8
    write(cgroup, memory_current=str(3 * 10**9))
    assert machine.free_memory() == 0


def test_a_memory_limit_in_the_older_form(cgroup):
    (cgroup / "memory").mkdir()
    (cgroup / "memory/memory.limit_in_bytes").write_text(str(10**9))
    (cgroup / "memory/memory.usage_in_bytes").write_text(str(4 * 10**8))
    assert machine.free_memory() == 6 * 10**8


def test_a_load_is_refused_before_it_starts_where_a_container_leaves_too_little(cgroup):
    """The machine itself has room for the practice model many times over; the container has not."""
    need = zk.CATALOGUE["practice"].memory(context=2048).total
    assert psutil.virtual_memory().available > 2 * need
    write(cgroup, memory_max=str(10**9), memory_current=str(10**9 - need // 4))
    children = psutil.Process().children()
    with pytest.raises(
        zk.NotEnoughMemory, match=r"practice-Q8_0.gguf needs .*context of 2,048.*Only 0.0\d GB is"
    ):
        zk.load("practice")
    assert psutil.Process().children() == children, "nothing was started"
    write(cgroup, memory_current=str(10**9 - need // 4), memory_stat=f"anon 1\ninactive_file {3 * need}\n")
    zk.load("practice").close()
