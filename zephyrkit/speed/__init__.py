"""How fast a model reads and writes, what memory it takes, and what the machine allows at best.

    speed = measure_speed(model)
    first, second = compare_speed({"llama.cpp": one, "OpenVINO": other})
    speed_table([first, second])

Every figure is the median of several rounds, with the smallest and the largest
beside it: a single time says more about what else the machine was doing. Rounds
that warm the model up are thrown away.
"""

from .bandwidth import memory_bandwidth
from .measuring import Speed, compare_speed, measure_speed
from .memory import Memory, memory_of
from .plots import plot_speed
from .report import SpeedTable, read_speeds, speed_table, write_speeds
from .spread import Spread

__all__ = [
    "Memory",
    "Speed",
    "SpeedTable",
    "Spread",
    "compare_speed",
    "measure_speed",
    "memory_bandwidth",
    "memory_of",
    "plot_speed",
    "read_speeds",
    "speed_table",
    "write_speeds",
]
