"""From logits, the model's raw scores for every token, to log-probabilities."""

import numpy


def logprob(logits: numpy.ndarray, token: int) -> float:
    """The natural logarithm of a token's probability: the softmax over the whole vocabulary."""
    return float(logits[token] - _normaliser(logits))


def likeliest(logits: numpy.ndarray, count: int) -> list[tuple[int, float]]:
    """The ``count`` likeliest tokens with their log-probabilities, the likeliest first."""
    count = min(count, len(logits))
    best = numpy.argpartition(logits, -count)[-count:]
    best = best[logits[best].argsort(kind="stable")[::-1]]
    total = _normaliser(logits)
    return [(int(token), float(logits[token] - total)) for token in best]


def _normaliser(logits: numpy.ndarray) -> float:
    """The logarithm of the sum of all exponentials, in double precision."""
    top = logits.max()
    return float(top + numpy.log(numpy.exp(logits - top, dtype=numpy.float64).sum()))
