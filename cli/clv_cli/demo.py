"""`clv demo`: the main job, done on the bundled CDNOW orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clv_cli.book import interval_name, total_value
from clv_cli.output import between, echo_table, number, paragraph, percent
from clv_cli.progress import Progress, quiet_option

if TYPE_CHECKING:
    from clv.book import Book
    from clv.transactions.orders import Orders

CALIBRATION_END, END, UNIT = "1997-09-30", "1998-06-30", "week"
"""The periods of Fader, Hardie & Lee (2005): 39 weeks to fit, 39 weeks to check."""

PROBLEM, LOSS = "defective", 14.0
"""The example: one CD does not play. The median of amount / quantity in these data is 13.97."""


@click.command(
    epilog="""\b
Example:
  clv demo -o clv-demo"""
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="clv-demo",
    show_default=True,
    metavar="DIR",
    help="Directory for the book and the plots.",
)
@quiet_option
def demo(output: Path) -> None:
    """See the main job done on bundled orders.

    2,357 customers of CDNOW, an online music shop, from their first order in early 1997 to June
    1998: what they are worth, what they will order, what may be spent on one broken order, and how
    a retention budget is best split.
    """
    import clv
    from clv.book.directory import refuse_other
    from clv_cli.budget import echo_budget
    from clv_cli.forecast import echo_forecast
    from clv_cli.recover import echo_recovery

    refuse_other(output / "book")
    policy = clv.Policy(currency="USD")
    with Progress() as progress:
        progress("Reading the orders")
        orders = clv.read_orders(clv.datasets.path("cdnow"))
        book = clv.build_book(
            orders, output / "book", policy=policy, end=END, unit=UNIT, progress=progress
        )
        progress("Drawing the plots")
        plots, tracked = _plots(orders, book, output)

    _title("What the customers are worth")
    totals = book.manifest["totals"]
    paragraph(
        f"{book.customers:,} customers are worth {total_value(book)} from "
        f"{book.end} on; {totals['p_alive']:,.0f} of them are expected to be customers still."
    )
    paragraph(book.manifest["terms"]["sentence"])

    _title("Can it be trusted?")
    paragraph(tracked)
    paragraph(book.manifest["independence"]["sentence"])

    _title("The next 12 months")
    echo_forecast(book, 12)

    _title("The ten most valuable customers")
    top = book.values(top=10).to_dict("records")
    echo_table(
        ["customer", "repeat orders", "P(alive)", "lifetime value USD", interval_name(book)],
        (
            [
                str(row["customer_id"]),
                f"{row['frequency']:,.0f}",
                number(row["p_alive"]),
                number(row["lifetime_value"]),
                between(row["lifetime_value_low"], row["lifetime_value_high"], 0),
            ]
            for row in top
        ),
    )

    _title("One customer has a problem: what may be spent on it?")
    answers = [book.recover(str(row["customer_id"]), PROBLEM, LOSS) for row in top]
    by_rule = [one for one in answers if one.risk_averse is None]  # of the others a person decides
    answer = (by_rule or answers)[0]
    echo_recovery(book, answer)

    _title("A retention budget")
    echo_budget(book, book.budget())

    _title("Saved")
    for file in (output / "book", *plots):
        click.echo(f"  {file}")

    _title("Try next")
    where, who = output / "book", answer.customer_id
    for command, why in (
        (f"clv recover {where} {who} --problem late_delivery --loss 40 --hours 48", ""),
        (f"clv value {where} --top 50 --format csv", ""),
        ("clv policy init policy.toml", "to replace what is assumed by what you know"),
        ("clv build YOUR-ORDERS.csv -o book --end DATE", "the same with your own orders"),
    ):
        click.echo(f"  {command}" + (f"    {why}" if why else ""))


def _title(text: str) -> None:
    click.echo()
    click.echo(click.style(text, bold=True))


def _plots(orders: Orders, book: Book, folder: Path) -> tuple[list[Path], str]:
    """Draw and save the three plots; say what the holdout shows."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    import clv

    check = clv.holdout_check(
        orders, clv.BGNBD, calibration_end=CALIBRATION_END, end=END, unit=UNIT
    )
    values = book.values()
    drawn = {
        "p_alive.png": clv.plot_p_alive(book.purchases, T=float(values["T"].max()), unit=UNIT),
        "tracking.png": clv.plot_tracking(clv.tracking_check(orders, check.fit, end=END)),
        "concentration.png": clv.plot_concentration(
            values["lifetime_value"].to_numpy(), currency=book.policy.currency
        ),
    }
    saved = []
    for name, axes in drawn.items():
        figure = axes.get_figure(root=True) or plt.gcf()
        figure.savefig(folder / name, dpi=150)
        plt.close(figure)
        saved.append(folder / name)
    way = "fewer" if check.expected < check.actual else "more"
    return saved, (
        f"Fitted on the orders to {check.calibration_end} alone, and given what each customer "
        f"had done by then, the model expects {check.expected:,.1f} repeat purchases to "
        f"{check.end}; {check.actual:,} came. It expects {percent(abs(check.error))} {way} "
        "than came. The plot of tracking knows only the day of each first order and counts from "
        "there on, so its total differs."
    )
