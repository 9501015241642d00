"""How long BG/NBD and Pareto/NBD take to fit on CDNOW, beside `lifetimes` on the same customers.

python -m tests.bench.fit_cdnow
"""

from __future__ import annotations

import warnings

import clv
from tests.bench.side_by_side import side_by_side


def main() -> None:
    """Print both fits' times and ratios; `lifetimes` gets one row a customer, as documented."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes' own, on import and on steps of its search
        from lifetimes import BetaGeoFitter, ParetoNBDFitter

        orders = clv.read_orders(clv.datasets.path("cdnow"))
        h = clv.histories(orders, end="1997-09-30", unit="week")
        frame = h.to_pandas()
        data = (frame["frequency"], frame["recency"], frame["T"])
        clv.BGNBD.fit(h)  # the first call pays for loading scipy.optimize
        side_by_side(
            "BG/NBD, CDNOW, 2,357 customers",
            lambda: clv.BGNBD.fit(h),
            lambda: BetaGeoFitter().fit(*data),
            rounds=9,
        )
        side_by_side(
            "Pareto/NBD, CDNOW, 2,357 customers",
            lambda: clv.ParetoNBD.fit(h),
            lambda: ParetoNBDFitter().fit(*data),
            rounds=9,
        )


if __name__ == "__main__":
    main()
