"""Returns and cancellations: which order each takes back, and what is left of it on a day.

::

    lines ──► match_returns ──► NetReturns ──► days with a purchase as they stood on a day
                                    └────────► incidents of type returned_item
"""

from clv.transactions.returns.matching import match_returns
from clv.transactions.returns.netting import NetReturns, NettedReturns, net_returns

__all__ = ["NetReturns", "NettedReturns", "match_returns", "net_returns"]
