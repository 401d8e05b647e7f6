"""One line of the table: a figure, its spread, and what was promised."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured figure.

    ``low`` and ``high`` are the smallest and the largest of the rounds;
    ``at_most`` or ``at_least`` is the promise, where there is one.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None when there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def __str__(self) -> str:
        spread = "" if self.low is None else f"({self.low:,.3g} to {self.high:,.3g})"
        promise = {None: "", True: "kept", False: "MISSED"}[self.kept]
        if self.at_most is not None:
            promise = f"at most {self.at_most:g}: {promise}"
        if self.at_least is not None:
            promise = f"at least {self.at_least:g}: {promise}"
        return f"{self.name:<72} {self.value:>9,.3g} {self.unit:<9} {spread:<20} {promise}".rstrip()


def row(name: str, unit: str, rounds: Sequence[float], **promise: float) -> Row:
    """The median of some rounds, with their spread."""
    return Row(name, statistics.median(rounds), unit, min(rounds), max(rounds), **promise)
