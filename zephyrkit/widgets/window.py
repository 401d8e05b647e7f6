"""What every window is made of: its script, its style, and JSON that a page can hold."""

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """JavaScript files joined into one module: anywidget takes one."""
    return "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in names)


def style(*names: str) -> str:
    """Style sheets joined into one."""
    return "\n".join((_HERE / f"{name}.css").read_text(encoding="utf-8") for name in names)


def as_safe_json(value: Any, _widget: object = None) -> str:
    """JSON without a single "<", so that it can stand in a page's script element.

    Exports put a widget's state there as it is, and ``</script>`` in a text would end it.
    """
    return json.dumps(value).replace("<", "\\u003c")
