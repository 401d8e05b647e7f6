"""Windows on a conversation, for Jupyter."""
