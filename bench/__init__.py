"""What zephyrkit promises about speed and memory, measured: ``python -m bench``."""
