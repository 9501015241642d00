"""How long the joint posterior takes on CDNOW, and predictive intervals of a million customers.

No peer does either in minutes, so there is no ratio here; the figures are for this machine.

    python -m tests.bench.posterior_and_prediction [CUSTOMERS]
"""

from __future__ import annotations

import os
import resource
import sys
import time

import numpy as np

import clv
from tests.bench.fit_bg_nbd import draw


def main() -> None:
    """Print seconds, effective sizes and peak memory."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    cdnow = clv.histories(orders, end="1997-09-30", unit="week")
    clv.posterior(clv.BGNBD.fit(cdnow), draws=100)  # loads ArviZ
    for model in (clv.BGNBD, clv.MBGNBD, clv.ParetoNBD):
        fit = model.fit(cdnow)
        started = time.perf_counter()
        post = clv.posterior(fit, draws=4000)
        seconds = time.perf_counter() - started
        print(
            f"{model.label} posterior on CDNOW: {seconds:.2f} s, effective size "
            f"{post.effective_size:,.0f}, k {post.k_hat:.2f} ({os.cpu_count()} cores)"
        )

    x, t_x, T = draw(customers)
    spend = clv.GammaGamma(6.25, 3.74, 15.44)  # Fader & Hardie (2013), CDNOW
    m = np.nan_to_num(spend.simulate(x, np.random.default_rng(1)))
    histories = clv.Histories.from_arrays(x, t_x, T, m, unit="week")
    purchases, of_spend = clv.BGNBD.fit(histories), clv.GammaGamma.fit(histories)
    started = time.perf_counter()
    post, spend_post = (
        clv.posterior(purchases, draws=400),
        clv.posterior(of_spend, draws=400),
    )
    drawn = time.perf_counter() - started
    started = time.perf_counter()
    found = clv.predict(
        post, 365.25 / 7, x, t_x, T, spend=spend_post, spend_frequency=x, monetary_value=m,
        margin=0.4, level=0.8,
    )  # fmt: skip
    predicted = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    width = float(np.mean(found.orders.high - found.orders.low))
    print(f"{customers:,} customers: posteriors {drawn:.1f} s, 80 % intervals of orders and value "
          f"{predicted:.1f} s, peak {peak:.2f} GB, mean width {width:.2f} orders")  # fmt: skip


if __name__ == "__main__":
    main()
