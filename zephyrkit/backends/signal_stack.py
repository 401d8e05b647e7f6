"""Keep Ctrl+C from ending a process that has used OpenVINO.

Linux can run a thread's signal handlers on a stack of their own, and where one is set
(Python's faulthandler sets one, so every Jupyter kernel and pytest have it) OpenVINO's
CPU plugin puts a larger one in its place. When two `openvino.Core` objects go away in
the order in which they came, the plugin (2026.4.1) puts a stack back that it has given
back to the system already. The next interrupt then finds no stack, and the system
ends the process with a segmentation fault.
"""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ROOM = 64 * 1024
"""Bytes for the handlers' own frames: faulthandler takes about 10,000 in all."""
AT_MINSIGSTKSZ = 51
"""The key under which the system says how large the processor's state is (linux/auxvec.h)."""
SS_DISABLE = 2
"""The flag of a thread without such a stack (bits/ss_flags.h)."""


class _Stack(ctypes.Structure):
    """C's ``stack_t`` on Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


_kept: list[mmap.mmap] = []  # for the process's whole life


@contextmanager
def lasting_signal_stack() -> Iterator[None]:
    """Where the work inside gives this thread another signal stack, put one in its place that is never freed.

    OpenVINO then finds that its own isn't in use any more, and takes no other back.
    """
    before = _current()
    try:
        yield
    finally:
        if before is not None and before != _current():
            _set_lasting()


def _current() -> int | None:
    """The address of this thread's signal stack; None when it has none, or the system isn't Linux."""
    if sys.platform != "linux":
        return None
    found = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return None if found.flags & SS_DISABLE else found.address


def _set_lasting() -> None:
    library = ctypes.CDLL(None)
    library.getauxval.restype, library.getauxval.argtypes = ctypes.c_ulong, (ctypes.c_ulong,)
    memory = mmap.mmap(-1, library.getauxval(AT_MINSIGSTKSZ) + ROOM)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    wanted = _Stack(address, 0, len(memory))
    if library.sigaltstack(ctypes.byref(wanted), None) == 0:
        _kept.append(memory)
