"""The picker's files as a table, for where no kernel runs."""

import html
from dataclasses import dataclass

from ..catalogue import Quant
from .download_view import size
from .picker_rows import LLAMA, Row


@dataclass(frozen=True)
class Table:
    """The rows as plain text and as HTML: a cell's output that needs no kernel and no script."""

    rows: tuple[Row, ...]
    chosen: Quant | None = None

    def __repr__(self) -> str:
        cells = [self._head(), *(self._cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
        marks = ["", *(">" if row.quant == self.chosen else "" for row in self.rows)]
        lines = [
            f"{mark:2}{'  '.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()}"
            for mark, line in zip(marks, cells, strict=True)
        ]
        licences = [
            f"{names}: {licence.name}. {licence.summary} {licence.link}"
            for licence, names in self._licences()
        ]
        return "\n".join([self._title(), *lines, *licences])

    def _repr_html_(self) -> str:
        left = ' style="text-align:left"'
        head = "".join(f'<th scope="col"{left}>{html.escape(name)}</th>' for name in self._head())
        body = ""
        for row in self.rows:
            name, *others = map(html.escape, self._cells(row))
            cells = "".join(f"<td{left}>{text}</td>" for text in others)
            body += f'<tr><th scope="row"{left}>{name}</th>{cells}</tr>'
        licences = "".join(
            f'<p>{html.escape(names)}: <a href="{html.escape(licence.link)}">{html.escape(licence.name)}</a>. '
            f"{html.escape(licence.summary)}</p>"
            for licence, names in self._licences()
        )
        return (
            f'<div class="zephyrkit-still"><table><caption{left}>{html.escape(self._title())}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{licences}</div>"
        )

    def _title(self) -> str:
        context, machine = self.rows[0].context, self.rows[0].machine
        engine = "" if self.rows[0].engine == LLAMA else f" {self.rows[0].engine} and"
        return (
            f"{len(self.rows)} files to choose from, for{engine} a context of {context:,} tokens. "
            f"{machine.words()}"
        )

    def _head(self) -> list[str]:
        return (
            ["file", "bits", "size", "memory", "on this machine"] + ["measured"] * self._measured + ["remark"]
        )

    def _cells(self, row: Row) -> list[str]:
        quant = row.quant
        measured = [row.measured or "not measured here"] * self._measured
        remark = quant.remark + (" (recommended)" if quant.recommended else "")
        return [quant.name, str(quant.bits), size(quant.size), row.memory, row.here, *measured, remark]

    @property
    def _measured(self) -> bool:
        return any(row.measured for row in self.rows)

    def _licences(self) -> list[tuple]:
        """Each licence once, with the names of the files that it holds for."""
        names: dict = {}
        for row in self.rows:
            names.setdefault(row.quant.licence, []).append(row.quant.name)
        return [
            (licence, given[0] if len(given) == 1 else f"{given[0]} to {given[-1]}")
            for licence, given in names.items()
        ]
