"""``python -m zephyrkit …`` is ``zephyrkit …``."""

from .cli import app

app(prog_name="zephyrkit")
