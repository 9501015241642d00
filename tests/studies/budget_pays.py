"""Whether the recommended budget pays, in a simulated shop whose truth is known.

**The shop.** Customers buy and leave as the BG/NBD model says, with spend as the Gamma-Gamma model
says; each has a rate, a probability of leaving after a purchase and a mean spend of its own. Money
spent on a customer lets each leaving within 12 months fail with probability

    κ_i(s) = e_i (1 − exp(−s / (c_i m_i)))

with e_i and c_i of the customer's own: e_i normal around the mean of the channel, c_i log-normal.
In one of three channels the mean is below 0: there, being contacted drives customers away.

**What the recommender knows** of a customer is the history and the channel. BG/NBD and Gamma-Gamma
are fitted to histories. The response is either

- *known*: the mean e and the median c of each channel, as where a company has measured them; or
- *from a pilot*: customers drawn by chance into three arms, whose purchases in the year after are
  seen. e and the money scale of each channel are learned from that, starting from the policy.

**Who competes**, with the same money, for budgets of many sizes:

- *recommended*: `retention_budget` with those estimates;
- *by value*, *by risk*, *evenly*: the same amount for each of the most valuable, of those likeliest
  to leave, or of a cross-section; of several amounts the one that turns out best at that budget,
  which nobody could know beforehand. They know of the response what the recommender knows, and
  leave alone the channels in which contact does harm;
- *true figures*: the best that can be done with the same history of each customer by somebody who
  knows the true parameters of the shop and how e and c are spread;
- *all-knowing*: the best for somebody who sees each customer's own rates, e and c, and who has
  left.

**What is earned** is exact, by the truth: discounted margin of 36 months with the spending, less
that without it, less the spending. It is not the formula that the recommender maximises: there a
leaving is prevented once, here each one may be.

    python -m tests.studies.budget_pays --shops 5
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import clv
from clv.arrays import Floats, Rows
from clv.recommend.campaigns import Evidence, randomised_effects, retention_posterior
from clv.recommend.offers import allocate_offers
from clv.recommend.retention import RetentionBudget, retention_budget
from clv.value.stake_draws import Stakes, stakes_under
from clv.value.terms import Terms
from clv.value.value_intervals import CustomerColumns

MODEL = clv.BGNBD(r=1.5, alpha=7.0, a=0.9, b=2.5)  # weeks
SPEND = clv.GammaGamma(p=6.0, q=4.0, v=20.0)
CUSTOMERS, SEEN, JOINED = 30_000, 104.0, 52.0
"""Customers; weeks that the shop was seen for, and in the first of which they came."""
PILOTS = (15_000, 150_000)
"""Further customers of the same shop, in pilots of two sizes."""
EFFECT = np.array([0.45, 0.2, -0.15])
"""Mean e of each channel."""
EFFECT_SD, SCALE, SCALE_SD = 0.15, 0.35, 0.4
"""Of e_i within a channel; median and spread (of the logarithm) of c_i."""
ARMS = np.array([0.0, 8.0, 30.0])
"""Spent on a customer in each arm of the pilot."""
AMOUNTS = np.array([2.0, 5.0, 10.0, 20.0, 35.0, 50.0])
"""From which the simple rules may take the best in hindsight."""
STEPS = np.concatenate([np.arange(0.0, 10, 0.25), np.arange(10.0, 50.1, 0.5)])
"""Amounts that those who know the truth choose from; the recommender may spend up to 50 too."""
SHARES = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5])
"""Budgets, as parts of the one that the recommender asks for."""
DRAWS, CHUNK = 1_000, 400
"""Draws of each customer for the best that the true figures allow; customers at a time."""
SIMPLE = ("by value", "by risk", "evenly")
PICTURE = Path(__file__).parents[2] / "docs" / "explanation" / "budget_pays.svg"

POLICY = clv.Policy()
TERMS = Terms(POLICY.margin, POLICY.discount_rate, POLICY.horizon_months)
END = date(2024, 12, 31)
RATE, HORIZON = TERMS.rate("week"), TERMS.horizon(END, "week")
YEAR = Terms(1.0, 0.0, POLICY.retention.period_months).horizon(END, "week")


@dataclass(frozen=True, eq=False)
class Shop:
    """Customers, one value each: what is true of them, and what is seen."""

    rate: Floats
    leaves: Floats
    spend: Floats
    alive: Floats
    effect: Floats
    scale: Floats
    channel: Rows
    seen: CustomerColumns


def draw_shop(n: int, rng: np.random.Generator) -> Shop:
    """Draw customers and live them through to the end of what is seen, purchase by purchase."""
    rate = rng.gamma(MODEL.r, 1 / MODEL.alpha, n)
    leaves = rng.beta(MODEL.a, MODEL.b, n)
    nu = rng.gamma(SPEND.q, 1 / SPEND.v, n)
    T = SEEN - rng.uniform(0, JOINED, n)
    x, t_x, now, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    going = np.arange(n)
    while len(going):
        now[going] += rng.exponential(1 / rate[going])
        going = going[now[going] <= T[going]]
        x[going] += 1
        t_x[going] = now[going]
        left = rng.random(len(going)) < leaves[going]
        alive[going[left]] = False
        going = going[~left]
    total = rng.gamma(np.maximum(SPEND.p * x, 1e-9), 1 / nu)
    channel = rng.integers(0, len(EFFECT), n)
    return Shop(
        rate,
        leaves,
        SPEND.p / nu,
        alive.astype(float),
        np.clip(EFFECT[channel] + EFFECT_SD * rng.standard_normal(n), -1, 1),
        SCALE * np.exp(SCALE_SD * rng.standard_normal(n)),
        channel,
        CustomerColumns(x, t_x, T, x, np.where(x > 0, total / np.maximum(x, 1), 0.0)),
    )


def buys_in_a_year(shop: Shop, kept: Floats, rng: np.random.Generator) -> Floats:
    """Purchases in the year after, where a leaving fails with a probability."""
    n = len(shop.rate)
    count, now = np.zeros(n), np.zeros(n)
    going = np.flatnonzero(shop.alive > 0)
    while len(going):
        now[going] += rng.exponential(1 / shop.rate[going])
        going = going[now[going] <= YEAR]
        count[going] += 1
        leaves = np.clip(shop.leaves[going] * (1 - kept[going]), 0, 1)
        going = going[rng.random(len(going)) >= leaves]
    return count


def kept_by(s: Floats, effect: Floats, scale: Floats, spend: Floats) -> Floats:
    """κ: the part of leavings that spending s lets fail."""
    return np.asarray(effect * -np.expm1(-s / (scale * spend)))


def worth(rate: Floats, leaves: Floats, spend: Floats, kept: Floats | float) -> Floats:
    """Discounted margin of 36 months of a customer who is one, leavings of the first 12 failing."""
    first = rate * np.clip(leaves * (1 - kept), 0, 1)
    then = rate * leaves

    def stretch(hazard: Floats, length: float) -> Floats:
        force = hazard + RATE
        return np.asarray(-np.expm1(-force * length) / force)

    after = np.exp(-(first + RATE) * YEAR) * stretch(then, HORIZON - YEAR)
    return np.asarray(POLICY.margin * spend * rate * (stretch(first, YEAR) + after))


def earned(shop: Shop, s: Floats) -> float:
    """What spending s_i on each customer truly earns, net of itself."""
    kept = kept_by(s, shop.effect, shop.scale, shop.spend)
    more = worth(shop.rate, shop.leaves, shop.spend, kept)
    without = worth(shop.rate, shop.leaves, shop.spend, 0.0)
    return float(np.sum(shop.alive * (more - without)) - np.sum(s))


# ------------------------------------------------------------------------------ what is estimated


def fit(shop: Shop) -> tuple[Any, Any]:
    """Fit both models to the histories."""
    seen = shop.seen
    histories = clv.Histories.from_arrays(seen.x, seen.t_x, seen.T, seen.m, unit="week")
    return clv.BGNBD.fit(histories).model, clv.GammaGamma.fit(histories).model


def stakes_of(shop: Shop, purchases: Any, spend: Any) -> Stakes:
    """Return what a book says of the customers."""
    (at,) = stakes_under(
        [purchases], [spend], shop.seen,
        margin=POLICY.margin, paid_share=1.0, rate=RATE, horizon=HORIZON, leaving=YEAR,
    )  # fmt: skip
    return at


def learn(pilot: Shop, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return e and the money scale of each channel as a pilot tells them."""
    purchases, spend = fit(pilot)
    at, seen = stakes_of(pilot, purchases, spend), pilot.seen
    arm = rng.integers(0, len(ARMS), len(seen))
    kept = kept_by(ARMS[arm], pilot.effect, pilot.scale, pilot.spend)
    bought = buys_in_a_year(pilot, kept, rng)
    expected = at.p_alive * purchases.expected_purchases_if_alive(YEAR, seen.x, seen.T)
    leaves = at.p_alive * (1 - purchases.survival_if_alive(YEAR, seen.x, seen.T))
    learned = []
    for channel in range(len(EFFECT)):
        rows = np.flatnonzero(pilot.channel == channel)
        found = randomised_effects(
            bought[rows], arm[rows], np.full(len(rows), 1 / len(ARMS)), expected[rows]
        )
        parts = np.linspace(-1, 1, 41)
        evidence = Evidence(
            effect=found.effect,
            covariance=found.covariance,
            kept=parts,
            gain=_gain(purchases, seen.take(rows), at.p_alive[rows], parts, rng),
            reach=tuple(
                (amount / at.expected_spend[mine], leaves[mine])
                for code, amount in enumerate(ARMS[1:], start=1)
                for mine in [rows[arm[rows] == code]]
            ),
            customers=len(rows),
        )
        posterior = retention_posterior(POLICY, [evidence])
        learned.append((posterior.effect[0], posterior.money_scale[0]))
    e, scale = np.array(learned).T
    return e, scale


def _gain(
    model: clv.BGNBD, seen: CustomerColumns, alive: Floats, parts: Floats, rng: np.random.Generator
) -> Floats:
    """Purchases per customer in a year that letting a part of all leavings fail brings."""
    rate = rng.gamma(model.r + seen.x, 1 / (model.alpha + seen.T), (20, len(seen)))
    leaves = rng.beta(model.a, model.b + seen.x, (20, len(seen)))

    def bought(part: float) -> float:
        p = np.clip(leaves * (1 - part), 1e-12, 1)
        return float(np.mean(alive * -np.expm1(-rate * p * YEAR) / p))

    at = np.array([bought(part) for part in parts])
    return np.asarray(at - bought(0.0))


# ----------------------------------------------------------------------------------- who competes


def best_of(value: Floats, total: float) -> Floats:
    """Spend of whoever knows what each amount keeps: the best choice, but for a proved gap."""
    chosen = allocate_offers(value, STEPS[1:], total=total)
    return chosen.spend


def table_of(shop: Shop) -> Floats:
    """What each amount truly keeps of each customer."""
    without = worth(shop.rate, shop.leaves, shop.spend, 0.0)
    return np.column_stack(
        [
            shop.alive
            * (
                worth(
                    shop.rate,
                    shop.leaves,
                    shop.spend,
                    kept_by(np.full(len(shop.rate), s), shop.effect, shop.scale, shop.spend),
                )
                - without
            )
            for s in STEPS[1:]
        ]
    ).astype("f4")


def table_of_history(shop: Shop, rng: np.random.Generator) -> Floats:
    """The same in expectation, given the history and the channel, with the true parameters."""
    table = np.empty((len(shop.rate), len(STEPS) - 1), dtype="f4")
    for start in range(0, len(shop.rate), CHUNK):
        b = np.arange(start, min(start + CHUNK, len(shop.rate)))
        seen, size = shop.seen.take(b), (DRAWS, len(b))
        rate = rng.gamma(MODEL.r + seen.x, 1 / (MODEL.alpha + seen.T), size)
        leaves = rng.beta(MODEL.a, MODEL.b + seen.x, size)
        nu = rng.gamma(SPEND.q + SPEND.p * seen.x, 1 / (SPEND.v + seen.x * seen.m), size)
        spend = SPEND.p / nu
        mean = EFFECT[shop.channel[b]]
        effect = np.clip(mean + EFFECT_SD * rng.standard_normal(size), -1, 1)
        scale = SCALE * np.exp(SCALE_SD * rng.standard_normal(size))
        without = worth(rate, leaves, spend, 0.0)
        alive = MODEL.p_alive(seen.x, seen.t_x, seen.T)
        for j, s in enumerate(STEPS[1:]):
            more = worth(rate, leaves, spend, kept_by(np.full(size, s), effect, scale, spend))
            table[b, j] = alive * (more - without).mean(axis=0)
    return table


def ranked(shop: Shop, by: Floats, allowed: npt.NDArray[np.bool_], total: float) -> float:
    """What the same amount for each, in an order, earns with the amount that turns out best."""
    order = np.flatnonzero(allowed)[np.argsort(-by[allowed], kind="stable")]
    best = 0.0
    for amount in AMOUNTS:
        s = np.zeros(len(shop.rate))
        s[order[: int(total // amount)]] = amount
        best = max(best, earned(shop, s))
    return best


def compete(seed: int) -> tuple[Floats, dict[str, Floats]]:
    """Earnings of every rule at every budget, in one shop."""
    rng = np.random.default_rng(seed)
    shop = draw_shop(CUSTOMERS, rng)
    purchases, spend = fit(shop)
    at, seen = stakes_of(shop, purchases, spend), shop.seen
    value = at.p_alive * at.value_if_alive
    risk = 1 - at.p_alive * purchases.survival_if_alive(YEAR, seen.x, seen.T)

    def recommend(of: tuple[Floats, Floats], total: float | None) -> RetentionBudget:
        e, scale = (figure[shop.channel] for figure in of)
        return retention_budget(
            POLICY, np.arange(CUSTOMERS), **at._asdict(), effect=e, money_scale=scale, total=total
        )

    response = {"": (EFFECT, np.full(len(EFFECT), SCALE))}
    for size in PILOTS:
        response[f", pilot of {size:,}"] = learn(draw_shop(size, rng), rng)
        e, scale = response[f", pilot of {size:,}"]
        print(f"  shop {seed}, pilot of {size:,}: e {e.round(2)}, money scale {scale.round(2)}")
    totals = SHARES * recommend(response[""], None).optimal_total
    got: dict[str, Floats] = {}
    for told, of in response.items():
        allowed = of[0][shop.channel] > 0
        got["recommended" + told] = np.array([earned(shop, recommend(of, t).spend) for t in totals])
        got["by value" + told] = np.array([ranked(shop, value, allowed, t) for t in totals])
        got["by risk" + told] = np.array([ranked(shop, risk, allowed, t) for t in totals])
        got["evenly" + told] = np.array([evenly(shop, allowed, t) for t in totals])
    for who, table in (
        ("true figures", table_of_history(shop, rng)),
        ("all-knowing", table_of(shop)),
    ):
        got[who] = np.array([earned(shop, best_of(table, t)) for t in totals])
    return totals, got


def evenly(shop: Shop, allowed: npt.NDArray[np.bool_], total: float) -> float:
    """What the same amount for everybody allowed earns, or for every k-th where that is better."""
    best = 0.0
    for amount in (total / allowed.sum(), *AMOUNTS):
        s = np.zeros(CUSTOMERS)
        some = np.flatnonzero(allowed)
        count = min(len(some), int(total / amount + 1e-9))
        s[some[np.linspace(0, len(some) - 1, count).astype(int)]] = min(50.0, amount)
        best = max(best, earned(shop, s))
    return best


def draw_picture(totals: Floats, means: dict[str, Floats]) -> None:
    """Draw what each rule earns at each budget."""
    import matplotlib as mpl

    from clv.plots import style

    mpl.rcParams["svg.hashsalt"] = PICTURE.name  # the same file on every run
    ax = style.begin(None)
    looks = [
        ("recommended", style.ACTUAL, "-", 2.6, "recommended, response known"),
        ("true figures", style.INK, (0, (1, 2)), 2.0, "best possible with the true figures"),
        *(
            (
                f"recommended, pilot of {n:,}",
                style.ACTUAL,
                dashes,
                1.6,
                f"recommended, pilot of {n:,}",
            )
            for n, dashes in zip(PILOTS[::-1], ((0, (5, 2)), (0, (2, 2))), strict=True)
        ),
        ("by value", style.EXPECTED, "-", 1.6, "most valuable first, response known"),
        ("evenly", style.QUIET, "-", 1.6, "evenly, or by risk: any amount loses"),
    ]
    x = np.append(0.0, totals)
    for name, colour, line, width, label in looks:
        y = np.append(0.0, means[name])
        ax.plot(x, y, color=colour, ls=line, lw=width, label=label, clip_on=False)
    ax.legend(frameon=False, fontsize=style.SMALL, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set_xlim(0, totals[-1])
    ax.set_ylim(bottom=0)
    style.counts(ax.xaxis)
    style.counts(ax.yaxis)
    style.finish(
        ax,
        "With the same knowledge, the recommended budget earns most",
        x="Retention budget",
        y="Earned by it, net of itself",
        source="Means of simulated shops. The simple rules take their amount per customer in "
        "hindsight.",
    )
    picture: Any = ax.figure
    picture.savefig(PICTURE, metadata={"Date": None} if PICTURE.suffix == ".svg" else None)


def main() -> None:
    """Print what each rule earns, over several shops, and draw it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shops", type=int, default=5)
    parser.add_argument("--picture", action="store_true", help=f"draw {PICTURE.name}")
    asked = parser.parse_args()
    started, all_totals, all_earned = time.perf_counter(), [], []
    for seed in range(asked.shops):
        totals, got = compete(seed)
        all_totals.append(totals)
        all_earned.append(got)
        print(f"  shop {seed} done after {time.perf_counter() - started:.0f} s", flush=True)
    means = {name: np.mean([got[name] for got in all_earned], axis=0) for name in all_earned[0]}
    totals = np.mean(all_totals, axis=0)
    print(f"means of {asked.shops} shops, {CUSTOMERS:,} customers each, "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    print(f"{'budget':>30} " + " ".join(f"{t:9,.0f}" for t in totals))
    for name, mean in means.items():
        print(f"{name:>30} " + " ".join(f"{v:9,.0f}" for v in mean))
    for of in ("true figures", "all-knowing"):
        for name in means:
            if name.startswith("recommended"):
                share = np.array([got[name] / got[of] for got in all_earned])
                print(f"{name} / {of}: least {share.min():.3f}; by budget "
                      + " ".join(f"{v:.3f}" for v in share.mean(axis=0)))  # fmt: skip
    for told in ("", *(f", pilot of {size:,}" for size in PILOTS)):
        ahead = np.array(
            [
                [got["recommended" + told] > got[rule + told] for rule in SIMPLE]
                for got in all_earned
            ]
        )
        best = ahead.all(axis=1)
        print(f"recommended{told} earns more than all of {', '.join(SIMPLE)}: at {best.sum()} of "
              f"{best.size} budgets")  # fmt: skip
    if asked.picture:
        draw_picture(totals, means)


if __name__ == "__main__":
    main()
