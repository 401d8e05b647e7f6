"""How the practice model is made: its corpus, its training and its evaluation.

One command makes everything: ``python -m training.make``.
"""
