"""Engines: one ChatModel each."""
