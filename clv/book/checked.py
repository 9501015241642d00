"""The check of the orders that a book was built from, as the book keeps it."""

from __future__ import annotations

from datetime import date

from clv.book.customer_book import Book
from clv.quality.report import Finding, QualityReport
from clv.transactions.report import OrdersReport

__all__ = ["checked"]


def checked(book: Book) -> QualityReport:
    """Return what the check found when a book was built; no order is read.

    Parameters
    ----------
    book : Book
        Any book.

    Returns
    -------
    QualityReport
        Of many orders without the findings that take long (see :data:`clv.quality.check.FEW`).

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("cdnow"), f"{folder}/book", end="1997-09-30")
    ...     checked(book)["span"].verdict
    'look at this'
    """
    about = book.manifest
    findings = about["quality"]["findings"]
    return QualityReport(
        source=", ".join(source["source"] for source in about["sources"]),
        rows=OrdersReport.from_dict(about["rows"]),
        first_date=date.fromisoformat(about["sources"][0]["first_date"]),
        last_date=min(book.end, date.fromisoformat(about["sources"][-1]["last_date"])),
        end=book.end,
        end_assumed=about["end_assumed"],
        customers=book.customers,
        findings=tuple(_finding(topic, found) for topic, found in findings.items()),
    )


def _finding(topic: str, found: dict[str, object]) -> Finding:
    said = {name: str(found[name]) for name in ("verdict", "sentence", "advice")}
    figures = {name: value for name, value in found.items() if name not in said}
    return Finding(topic, figures=figures, **said)
