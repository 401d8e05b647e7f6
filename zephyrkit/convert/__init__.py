"""From one model format to another. Nothing is imported before it is needed."""

from zephyrkit.convert.quantise import OtherTypeWarning, quantise
from zephyrkit.convert.to_gguf import to_gguf

__all__ = ["OtherTypeWarning", "quantise", "to_gguf"]
