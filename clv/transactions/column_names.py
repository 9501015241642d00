"""The names that shops give the columns of their orders, in five languages.

Names are compared without case, accents, spaces and punctuation: `CustomerID`, `customer id` and
`Customer_Id` are one name, and so are `Währung` and `WAHRUNG`. Each role has tiers of known names
in English, German, French, Spanish and Dutch; the first tier with a match decides, and two matches
in one tier are for the user to tell apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CODES",
    "CUSTOMER",
    "PRICES",
    "ROLES",
    "SIGNS",
    "currency_named",
    "in_first_tier",
    "looks_like_values",
    "plain",
    "without_unit",
]

CODES = (
    *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "ISK"),
    *("PLN", "CZK", "HUF", "RON", "BGN", "TRY", "RUB", "UAH", "INR", "BRL", "MXN", "ARS", "CLP"),
    *("COP", "PEN", "ZAR", "SGD", "HKD", "TWD", "KRW", "THB", "MYR", "IDR", "PHP", "VND", "ILS"),
    *("AED", "SAR", "EGP", "NGN", "KES"),
)
"""Currencies as ISO 4217 writes them, which stand beside amounts and their names."""

SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH", "US$": "USD"}
"""What a sign says of its own; `$`, `¥` and `kr` belong to several currencies."""

Tiers = tuple[tuple[str, ...], ...]

CUSTOMER: Tiers = (
    ("customerid",),
    (
        *("customer", "custid", "customernumber", "customerno", "customercode", "customerkey"),
        *("custno", "custnumber", "custnum", "clientno", "clientnumber", "memberno"),
        *("membernumber", "buyerno", "buyernumber", "accountno", "accountnumber", "debitorid"),
        *("clientid", "userid", "memberid", "buyerid", "accountid", "shopperid", "contactid"),
        *("kundennummer", "kundennr", "kundenid", "kundencode", "debitorennummer", "debitornr"),
        *("numeroclient", "numerodeclient", "numclient", "noclient", "idclient", "codeclient"),
        *("clienteid", "idcliente", "iddecliente", "numerocliente", "numerodecliente"),
        *("codigocliente", "codigodecliente", "klantnummer", "klantnr", "klantid", "klantcode"),
    ),
    (
        *("client", "user", "member", "buyer", "account", "shopper", "username", "cardid"),
        *("cardnumber", "householdid", "email", "customeremail", "emailaddress"),
        *("kunde", "kundenkonto", "kundenemail", "cliente", "klant", "klantemail"),
        *("kaufer", "kaeufer", "debitor", "besteller", "acheteur", "comprador", "koper"),
    ),
)

DATE: Tiers = (
    ("date", "datum", "fecha"),
    (
        *("orderdate", "invoicedate", "purchasedate", "transactiondate", "saledate", "salesdate"),
        *("dateoforder", "dateofpurchase", "bestelldatum", "auftragsdatum", "rechnungsdatum"),
        *("kaufdatum", "belegdatum", "verkaufsdatum", "datecommande", "datedecommande"),
        *("datefacture", "datedefacture", "dateachat", "datedachat", "fechapedido"),
        *("fechadepedido", "fechafactura", "fechadefactura", "fechacompra", "fechadecompra"),
        *("fechaventa", "fechadeventa", "besteldatum", "orderdatum", "factuurdatum"),
        *("aankoopdatum", "verkoopdatum"),
    ),
    (
        *("orderdatetime", "orderedat", "purchasedat", "transactionat", "ordertime"),
        *("purchasetime", "transactiontime", "ordertimestamp", "transactiontimestamp"),
        *("bestellzeitpunkt", "bestellzeit", "bestelltijd", "fechahorapedido"),
    ),
    (
        *("datetime", "timestamp", "createdat", "created", "time", "day"),
        *("zeitstempel", "erstelltam", "angelegtam", "tag", "horodatage", "jour", "creele"),
        *("fechahora", "fechayhora", "dia", "tijdstip", "aangemaaktop", "dag"),
    ),
)

AMOUNT: Tiers = (
    ("amount", "betrag", "montant", "importe", "bedrag"),
    (
        *("orderamount", "ordertotal", "ordervalue", "totalamount", "transactionamount"),
        *("transactionvalue", "invoiceamount", "invoicetotal", "purchaseamount", "totalprice"),
        *("linetotal", "grandtotal", "gesamtbetrag", "rechnungsbetrag", "bestellwert"),
        *("bestellsumme", "auftragswert", "gesamtpreis", "gesamtsumme", "endbetrag"),
        *("montanttotal", "montantcommande", "montantdelacommande", "totalcommande"),
        *("importetotal", "importepedido", "importedelpedido", "totalpedido", "totaalbedrag"),
        *("orderbedrag", "factuurbedrag", "orderwaarde", "bestelwaarde", "totaalprijs"),
    ),
    (
        *("total", "revenue", "sales", "spend", "salesamount", "amountpaid", "turnover"),
        *("umsatz", "summe", "gesamt", "bruttobetrag", "nettobetrag", "betragbrutto"),
        *("betragnetto", "chiffredaffaires", "montantht", "montantttc", "totalht", "totalttc"),
        *("ventas", "ingresos", "omzet", "totaal"),
    ),
    ("subtotal", "zwischensumme", "warenwert", "soustotal", "subtotaal"),
    ("net", "gross", "netto", "brutto", "bruto", "neto"),
    ("value", "monetaryvalue", "wert", "valeur", "valor", "waarde"),
    ("price", "preis", "prix", "precio", "prijs"),
)

PRICES = frozenset(AMOUNT[-1])
"""Names of a bare price: of an order, or of one unit where there is a quantity."""

TAXES = r"(?:incl|excl|inkl|exkl)\.?(?: (?:tax|vat|mwst|ust|btw|iva))?"
OF_MONEY = re.compile(
    r"[(\[][^\s)\]]{1,5}[)\]]|[$€£¥₹]|\b(?:net|netto|gross|brutto|bruto|ht|ttc|in"
    rf"|{TAXES}|{'|'.join(CODES).lower()})\b",
)
"""What stands beside the name of an amount: a currency, a unit in parentheses, net or gross."""

QUANTITY: Tiers = (
    ("quantity",),
    (
        *("qty", "menge", "anzahl", "stuckzahl", "stueckzahl", "quantite", "qte", "cantidad"),
        *("aantal", "hoeveelheid"),
    ),
    ("units", "stuck", "stueck", "einheiten", "unites", "unidades", "stuks", "eenheden"),
)

UNIT_PRICE: Tiers = (
    (
        *("unitprice", "priceperunit", "itemprice", "priceeach", "einzelpreis", "stuckpreis"),
        *("stueckpreis", "preisprostuck", "preisprostueck", "prixunitaire", "prixunite"),
        *("preciounitario", "precioporunidad", "stukprijs", "eenheidsprijs", "prijsperstuk"),
    ),
    AMOUNT[-1],
)

ORDER_ID: Tiers = (
    ("orderid",),
    (
        *("ordernumber", "orderno", "ordernr", "ordercode", "orderkey", "orderreference"),
        *("bestellnummer", "bestellnr", "bestellid", "auftragsnummer", "auftragsnr", "auftragsid"),
        *("numerocommande", "numerodecommande", "nocommande", "numcommande", "idcommande"),
        *("referencecommande", "numeropedido", "numerodepedido", "idpedido", "pedidoid"),
        *("codigopedido", "bestelnummer", "bestelnr", "ordernummer"),
    ),
    (
        *("invoiceid", "invoicenumber", "invoiceno", "invoicenr", "rechnungsnummer"),
        *("rechnungsnr", "rechnungsid", "numerofacture", "numerodefacture", "nofacture"),
        *("idfacture", "numerofactura", "numerodefactura", "idfactura", "factuurnummer"),
        "factuurnr",
    ),
    (
        *("transactionid", "transactionnumber", "receiptid", "receiptnumber", "receiptno"),
        *("basketid", "checkoutid", "belegnummer", "belegnr", "bonnummer", "bonnr"),
        *("transaktionsid", "transaktionsnummer", "numeroticket", "numerodeticket"),
        "transactienummer",
    ),
    ("order", "bestellung", "auftrag", "commande", "pedido", "bestelling"),
    ("invoice", "rechnung", "facture", "factura", "factuur"),
)

ITEM: Tiers = (
    ("itemid", "item"),
    (
        *("sku", "stockcode", "productid", "productcode", "productnumber", "articleid"),
        *("articlenumber", "itemnumber", "itemno", "itemcode", "asin", "artikelnummer"),
        *("artikelnr", "artikelid", "produktnummer", "produktid", "referenceproduit"),
        *("codeproduit", "idproduit", "codearticle", "codigoproducto", "idproducto"),
        *("codigoarticulo", "artikelcode", "productnummer"),
    ),
    (
        *("product", "article", "artikel", "produkt", "produit", "producto", "articulo"),
        *("productname", "artikelbezeichnung", "artikelname"),
    ),
)

CURRENCY: Tiers = (
    ("currency", "wahrung", "waehrung", "devise", "moneda", "valuta"),
    (
        *("currencycode", "ordercurrency", "ccy", "currencyiso", "wahrungscode", "waehrungscode"),
        *("codedevise", "monnaie", "divisa", "codigomoneda", "valutacode"),
    ),
)

KIND: Tiers = (
    ("kind",),
    (
        *("ordertype", "transactiontype", "invoicetype", "documenttype", "saletype", "entrytype"),
        *("belegart", "vorgangsart", "transaktionsart", "auftragsart", "bestellart"),
        *("typedocument", "typetransaction", "typedetransaction", "tipodocumento"),
        *("tipotransaccion", "tipodetransaccion", "transactiesoort", "ordersoort"),
    ),
    (
        *("orderstatus", "bestellstatus", "auftragsstatus", "statutcommande", "estadopedido"),
        *("estadodelpedido", "status", "statut", "estado"),
    ),
)

REVERSES: Tiers = (
    ("reverses",),
    (
        *("originalorderid", "originalorder", "originalordernumber", "originalinvoice"),
        *("originalinvoiceno", "originalinvoicenumber", "reversedorder", "reversedorderid"),
        *("refundedorder", "refundedorderid", "returnedorder", "returnedorderid", "returnof"),
        *("refundof", "correctionof", "stornozu", "ursprungsbestellung", "ursprungsrechnung"),
        *("originalbestellung", "originalrechnung", "commandedorigine", "commandeinitiale"),
        *("factureoriginale", "pedidooriginal", "facturaoriginal", "oorspronkelijkeorder"),
        *("oorspronkelijkebestelling", "oorspronkelijkefactuur"),
    ),
)

ROLES: Mapping[str, Tiers] = {
    "customer_id": CUSTOMER,
    "date": DATE,
    "amount": AMOUNT,
    "quantity": QUANTITY,
    "unit_price": UNIT_PRICE,
    "order_id": ORDER_ID,
    "item": ITEM,
    "currency": CURRENCY,
    "kind": KIND,
    "reverses": REVERSES,
}
"""What a column of orders can be, and the names it is known by."""


def plain(name: str) -> str:
    """Return a name as it is compared: without case, accents, spaces and punctuation.

    >>> plain("Numéro de commande"), plain("Customer_ID")
    ('numerodecommande', 'customerid')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in letters if c.isalnum())


def without_unit(name: str) -> str:
    """Return the name of an amount as it is compared, without the currency or unit beside it.

    >>> without_unit("Total (EUR)"), without_unit("Net Amount USD"), without_unit("Umsatz_netto")
    ('total', 'amount', 'umsatz')
    """
    return plain(OF_MONEY.sub(" ", name.casefold().replace("_", " ")))


def currency_named(name: str) -> str | None:
    """Return the currency that the name of an amount states; None where it states none, or two.

    >>> currency_named("Betrag (EUR)"), currency_named("total_gbp"), currency_named("Price in £")
    ('EUR', 'GBP', 'GBP')
    >>> currency_named("amount"), currency_named("EUR or USD"), currency_named("Total ($)")
    (None, None, None)
    """
    text = name.upper().replace("_", " ")
    found = {code for code in CODES if re.search(rf"\b{code}\b", text)}
    found |= {code for sign, code in SIGNS.items() if sign in text}
    return found.pop() if len(found) == 1 else None


def in_first_tier(
    names: Sequence[str], tiers: Tiers, key: Callable[[str], str] = plain
) -> list[str]:
    """Return the names that match the first tier with any match.

    Parameters
    ----------
    names : sequence of str
        Of columns.
    tiers : tuple of tuple of str
        Known names, the most certain first.
    key : callable
        As what a name is compared.
    """
    for tier in tiers:
        found = [name for name in names if key(name) in tier]
        if found:
            return found
    return []


def looks_like_values(names: Sequence[str]) -> str:
    """Ask for a header where a name is a number or a date: the first row, where it is missing."""
    if any(any(c.isdigit() for c in name) and not any(c.isalpha() for c in name) for name in names):
        return " These look like values: does the first line name the columns?"
    return ""
