"""How long one million customers take to score, beside `lifetimes` on the same arrays.

P(alive), expected purchases of the next 12 months, and lifetime value over 12 months with margin,
discount and Gamma-Gamma spend. `lifetimes` sums twelve monthly expectations; ours is one integral.

    python -m tests.bench.score_million [CUSTOMERS]
"""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np

import clv
from tests.bench.fit_bg_nbd import draw
from tests.bench.side_by_side import side_by_side

MARGIN, ANNUAL = 0.4, 0.1


def main() -> None:
    """Print both times and the ratio."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    x, t_x, T = draw(customers)
    spend = clv.GammaGamma(6.25, 3.74, 15.44)  # Fader & Hardie (2013), CDNOW
    m = np.nan_to_num(spend.simulate(x, np.random.default_rng(1)))
    fit = clv.BGNBD.fit(clv.Histories.from_arrays(x, t_x, T, m, unit="week"))
    of_spend = clv.GammaGamma.fit(fit.histories)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes' own
        import pandas as pd

        peer, peer_spend = clv.to_lifetimes(fit), clv.to_lifetimes(of_spend)
        columns = [pd.Series(v) for v in (x, t_x, T, m)]
        weekly = math.log1p(ANNUAL) * 7 / 365.25
        year = 365.25 / 7

        def ours() -> object:
            model = fit.model
            p_alive = model.p_alive(x, t_x, T)
            expected = p_alive * model.expected_purchases_if_alive(year, x, T)
            discounted = model.discounted_purchases_if_alive(x, T, rate=weekly, horizon=year)
            return expected, MARGIN * of_spend.model.expected_spend(x, m) * p_alive * discounted

        def theirs() -> object:
            a, b, c, d = columns
            peer.conditional_probability_alive(a, b, c)
            peer.predict(year, a, b, c)
            return peer_spend.customer_lifetime_value(
                peer, a, b, c, d, time=12, discount_rate=(1 + ANNUAL) ** (1 / 12) - 1, freq="W"
            )

        ours()
        side_by_side(f"p_alive, expected purchases, value: {customers:,} customers", ours, theirs)


if __name__ == "__main__":
    main()
