"""Keep an interrupt from ending a process that has used OpenVINO.

Linux can run a thread's signal handlers on a stack of their own. OpenVINO's CPU plugin
(2026.4.1) sets one for the thread that loads it, and gives its memory back when the
plugin goes away: also when that happens in another thread, or after another plugin was
loaded, and then the first thread is left with a stack that is no more. The next
interrupt there ends the process with a segmentation fault.
"""

import ctypes
import mmap
import sys
import threading
from functools import cache

ROOM = 64 * 1024
"""Bytes for the handlers' own frames; Python's faulthandler takes about 10,000 in all."""
AT_MINSIGSTKSZ = 51
"""The key under which the system says how large the processor's state is (linux/auxvec.h)."""


class _Stack(ctypes.Structure):
    """C's ``stack_t`` on Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def keep_signal_stack() -> None:
    """Give the main thread, if this is it, a signal stack that is never freed. Called after a plugin was loaded.

    The plugin notices that its own isn't in use, and leaves this one where it is.
    """
    if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        memory = _memory()
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        ctypes.CDLL(None).sigaltstack(ctypes.byref(_Stack(address, 0, len(memory))), None)


@cache
def _memory() -> mmap.mmap:
    library = ctypes.CDLL(None)
    library.getauxval.restype, library.getauxval.argtypes = ctypes.c_ulong, (ctypes.c_ulong,)
    return mmap.mmap(-1, library.getauxval(AT_MINSIGSTKSZ) + ROOM)
