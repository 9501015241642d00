"""What a row of orders is: a sale, a return, a cancellation, or an order that came to nothing.

A return and a cancellation are rows of their own, which take back what another row sold. An order
that was cancelled or refunded itself, as the state of orders in many exports says, is `void`.
"""

from __future__ import annotations

from collections.abc import Mapping

from clv.transactions.column_names import plain

__all__ = ["REVERSING", "kinds_of"]

REVERSING = ("return", "cancellation")
"""Kinds of rows that take back what another row sold, whatever the sign of their amount."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "sale": (
        *("sale", "sales", "sold", "order", "purchase", "invoice", "charge", "payment", "paid"),
        *("complete", "completed", "shipped", "delivered", "fulfilled", "closed", "processing"),
        *("verkauf", "kauf", "bestellung", "auftrag", "rechnung", "bezahlt", "abgeschlossen"),
        *("versendet", "versandt", "geliefert", "ausgeliefert", "zugestellt", "erledigt"),
        *("vente", "achat", "commande", "facture", "payee", "paye", "terminee", "termine"),
        *("expediee", "expedie", "livree", "livre", "venta", "compra", "pedido", "factura"),
        *("pagado", "completado", "enviado", "entregado", "verkoop", "aankoop", "bestelling"),
        *("factuur", "betaald", "voltooid", "verzonden", "geleverd", "afgerond"),
    ),
    "return": (
        *("return", "returns", "refund", "credit", "creditnote", "creditmemo", "rma"),
        *("retoure", "ruckgabe", "ruecksendung", "rucksendung", "gutschrift", "erstattung"),
        *("retour", "remboursement", "avoir", "notedecredit", "devolucion", "reembolso"),
        *("abono", "notadecredito", "teruggave", "terugbetaling", "creditnota", "creditfactuur"),
    ),
    "cancellation": (
        *("cancellation", "cancel", "reversal", "chargeback", "storno", "stornierung"),
        *("stornorechnung", "annulation", "anulacion", "cancelacion", "annulering"),
    ),
    "void": (
        *("void", "voided", "cancelled", "canceled", "refunded", "returned", "failed"),
        *("declined", "rejected", "storniert", "erstattet", "retourniert", "abgebrochen"),
        *("fehlgeschlagen", "annulee", "annule", "remboursee", "rembourse", "anulado"),
        *("cancelado", "reembolsado", "devuelto", "geannuleerd", "terugbetaald", "mislukt"),
    ),
}
KNOWN = {word: kind for kind, words in WORDS.items() for word in words}


def kinds_of(
    words: Mapping[str, int], stated: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """Tell which words of a column mean which kind of row.

    Parameters
    ----------
    words : mapping of str to int
        What the column says, and in how many rows.
    stated : mapping of str to tuple of str
        Words beyond the usual ones, by kind.

    Returns
    -------
    dict of str to tuple of str
        The words of each kind, as they are written.
    dict of str to int
        Words that are not known.

    Examples
    --------
    >>> kinds_of({"Verkauf": 9, "Gutschrift": 1, "RX": 2}, {})
    ({'sale': ('Verkauf',), 'return': ('Gutschrift',)}, {'RX': 2})
    """
    known = KNOWN | {plain(word): kind for kind, some in stated.items() for word in some}
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        if kind := known.get(plain(word)):
            found[kind] = (*found.get(kind, ()), word)
    return found, {word: n for word, n in words.items() if plain(word) not in known}
