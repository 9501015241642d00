"""Do the intervals of campaigns hold what they say? 1,500 campaigns of drawn customers.

Customers are lived through purchase by purchase (tests/reference/simulated_campaign.py); arms keep
a known part of the leavings. BG/NBD at the true parameters is the expectation. Prints how often
the 95 % intervals of the effect hold the truth, with and without the control variate, where
chance decided, and adjusted, where those who bought lately were chosen; and of the Qini area of a
random ranking. Run it by hand: python -m tests.studies.campaign_coverage (half a minute).
"""

from __future__ import annotations

import numpy as np

from clv.models.bg_nbd import BGNBD
from clv.recommend.campaigns import adjusted_effects, fit_propensity, qini, randomised_effects
from tests.reference.simulated_campaign import PARAMETERS, live

CAMPAIGNS, CUSTOMERS, WINDOW = 1500, 2000, 200.0
AVERTED, SHARES = (0.0, 0.6), (0.5, 0.5)


def main() -> None:
    """Run the study and print its table."""
    model = BGNBD(**PARAMETERS)
    many = live(2_000_000, AVERTED, SHARES, WINDOW, seed=10**6)
    truth = many.purchases[many.arm == 1].mean() - many.purchases[many.arm == 0].mean()
    print(f"True effect: {truth:.4f} purchases per customer in {WINDOW:.0f} days")
    runs: dict[str, list[tuple[float, float, float]]] = {}

    def note(name: str, estimate: float, error: float, true: float) -> None:
        runs.setdefault(name, []).append((estimate - true, error, true))

    for seed in range(CAMPAIGNS):
        rng = np.random.default_rng(seed)
        lived = live(CUSTOMERS, AVERTED, SHARES, WINDOW, seed=seed)
        x, t_x, T = lived.frequency, lived.recency, lived.T
        alive = model.p_alive(x, t_x, T)
        expected = alive * model.expected_purchases_if_alive(WINDOW, x, T)
        half = np.full(CUSTOMERS, 0.5)
        plain = randomised_effects(lived.purchases, lived.arm, half)
        narrow = randomised_effects(lived.purchases, lived.arm, half, expected)
        note("chance, plain", plain.effect[0], plain.standard_error[0], truth)
        note("chance, with expectation", narrow.effect[0], narrow.standard_error[0], truth)
        area = qini(narrow.scores[0], rng.random(CUSTOMERS))
        note("Qini of a random ranking", area.area, area.standard_error, 0.0)
        # Chosen: of the customers above, those whom a rule on P(alive) would have put there.
        likely = 0.15 + 0.7 * alive
        would = (rng.random(CUSTOMERS) < likely).astype(int)
        kept = would == lived.arm  # half of them, whatever else they are
        y, arm = lived.purchases[kept], lived.arm[kept]
        known = np.column_stack([expected, alive, np.log1p(x), t_x, T])[kept]
        naive = randomised_effects(y, arm, np.full(len(y), 0.5))
        adjusted = adjusted_effects(y, arm, known, fit_propensity(arm, known))
        note("chosen, plain difference", naive.effect[0], naive.standard_error[0], truth)
        note("chosen, adjusted", adjusted.effect[0], adjusted.standard_error[0], truth)
    print(f"{'':28}{'bias':>9}{'its error':>11}{'mean s.e.':>11}{'covered':>9}")
    for name, rows in runs.items():
        off, error, _ = np.array(rows).T
        covered = np.mean(np.abs(off) < 1.96 * error)
        spread = off.std(ddof=1) / np.sqrt(len(off))
        print(f"{name:28}{off.mean():9.4f}{spread:11.4f}{error.mean():11.4f}{covered:9.1%}")


if __name__ == "__main__":
    main()
