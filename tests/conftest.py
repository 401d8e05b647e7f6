"""For all tests: Ctrl+C means here what it means in a terminal.

A shell that starts a job in the background lets it ignore SIGINT, and every process that the
job starts inherits that. Tests that interrupt a process would then wait in vain.
"""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
