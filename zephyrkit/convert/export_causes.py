"""Why an export failed: from how the child ended and what it said last to one error with its remedy."""

from ..errors import ExportError, NotEnoughMemory, ZephyrkitError
from .child import Ending
from .export_estimate import Estimate, gigabytes

NOTHING_LEFT = "Nothing was left behind."
_DISK = (
    "No space left on device", "Errno 28", "Disk quota exceeded", "Errno 122", "File too large", "Errno 27",
    "iostream error",  # all that OpenVINO says when it can't write
)  # fmt: skip
_MEMORY = ("MemoryError", "bad_alloc", "can't allocate memory", "Cannot allocate memory", "Errno 12")


def explain(ending: Ending, expected: Estimate, memory_limit: int | None) -> ZephyrkitError:
    """The error to raise for a child that didn't end well."""
    if ending.cancelled:
        return ExportError(f"You stopped the export. {NOTHING_LEFT}")
    if ending.over is not None:
        return NotEnoughMemory(
            f"The export took {gigabytes(ending.over)} of memory, more than the limit of {gigabytes(memory_limit)}, "
            f"and was ended. {NOTHING_LEFT} Raise memory_limit, or export on a larger machine."
        )
    log = "\n".join(ending.lines)
    if any(sign in log for sign in _DISK):
        return ExportError(
            f"The disk was full, or allows no larger file. The export takes about {gigabytes(expected.disk)} at its worst moment. "
            f"{NOTHING_LEFT} Make room, or choose a folder on another disk."
        )
    if any(sign in log for sign in _MEMORY):
        return NotEnoughMemory(
            f"The export asked for more memory than it could get; it had taken {gigabytes(ending.peak)}. "
            f"{NOTHING_LEFT} Close other programs, or export on a larger machine."
        )
    if ending.signal_name == "SIGKILL":
        return NotEnoughMemory(
            f"The export was killed (SIGKILL) when it had taken {gigabytes(ending.peak)} of memory, which is what the "
            f"system does when memory runs out. {NOTHING_LEFT} Close other programs, or export on a larger machine."
        )
    how = f"by {ending.signal_name}" if ending.signal_name else f"with status {ending.status}"
    last = ending.lines[-1] if ending.lines else "nothing"
    return ExportError(
        f"The export ended {how}. Its last words: {last}. {NOTHING_LEFT} The whole log comes with "
        "progress=print; the command itself is zephyrkit.EXPORT_PRESETS[…].command()."
    )
