"""A customer book on disk: written whole, opened by all, and what it answers.

One direction: `directory` (files) <- `values`, `learned`, `intervals` <- `decisions` <- `budget` <-
`recovery`, `split` <- `customer_book` (the `Book` that people open) <- `orders` <- `since` (a book
that newer orders are added to).
"""

from __future__ import annotations

from clv.book.customer_book import Book

__all__ = ["Book"]
