"""Which order each return takes back: the one that the log names, or the likeliest before it.

Only what came before a return decides where it goes, so that an analysis of the orders up to a day
never sees what came later. All is done by the engine, and over customers with returns only; what
:mod:`clv.transactions.returns.taken_rows` says of a few lines is done here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from clv.transactions.order_lines import days_of_orders
from clv.transactions.returns.taken_rows import ASKED, NAMES, SOLD, replay

__all__ = ["ITEM", "LATEST", "LINE", "NAMED", "match_returns"]

NAMED, LINE, ITEM, LATEST = 1, 2, 3, 4
"""How an order was found: the log names it; it has the same line, not yet taken back; it has the
same item; it is the customer's latest before."""

SUM = dt.Decimal(38, 4)
NOTHING = ""
"""Stands for an order or an item that the log does not tell."""

ORDER = ("customer_id", "date", "order")
SAME_LINE = ("customer_id", "item", "pieces", "worth")
EVENT = ("date", "at", "order", *SAME_LINE)

Keep = Callable[[ir.Table], ir.Table]
Bring = Callable[[ir.Table], pa.Table]
Send = Callable[[pa.Table], ir.Table]


def match_returns(
    lines: ir.Table, keep: Keep, drop: Callable[[ir.Table], None], bring: Bring, send: Send
) -> ir.Table:
    """Find for each return the order that it takes back, and how much of it.

    Parameters
    ----------
    lines : ibis.Table
        One row per sale and return: `customer_id`, `date`, `at` (time; the day where that is all
        there is), `amount` (null in logs without amounts), `back` (whether it is a return), and as
        far as the log has them `order_id`, `item`, `quantity` (pieces, not negative) and
        `reverses`.
    keep, drop : callable
        Compute a table once and keep it; let one go.
    bring, send : callable
        Compute a table and bring it into this process; open one of this process.

    Returns
    -------
    ibis.Table
        One row per return, kept by the engine: `customer_id`, `date` and `at` of the return, its
        own `order_id`, `worth`; `step` (how its order was found; null where none was),
        `order_date` and `order` (null likewise); `order_worth` and `day_orders`, what the order
        came to and how many orders the customer made on its day; `applied`, the part of `worth`
        that is subtracted from the order; `reduces_price`, whether it is a line of that order
        itself, with its number and at its time, so that nothing came back.

    Notes
    -----
    Worth is money; pieces where a log has no amounts, and lines where it has neither. An order is
    what a customer bought under one `order_id` on one day, or on one day without any. No more is
    applied to an order than it came to, earlier returns first.
    """
    has_ids = "order_id" in lines.columns
    log = _alike(_of_customers_with_returns(lines))
    log = keep(_on_the_day_of_its_order(log) if has_ids else log)
    every = [*ORDER, "at", "item", "pieces", "worth", "named", "stated"]
    numbered = ibis.row_number().over(ibis.window(order_by=every))
    back = keep(log.filter(log["back"]).mutate(n=numbered))
    sales = log.filter(~log["back"])
    named = keep(_named(back, sales))
    # What names an order that is not there takes nothing from another.
    asked = keep(back.filter(~back["stated"]).anti_join(named, "n"))
    events = _events(sales, asked)
    if has_ids and _some_of_each(named, asked, bring):
        events = keep(events)
        names = _names(named, back, events)
        brackets = keep(_with_names(events, names, bring, send))
        drop(events)
    else:
        brackets = keep(_brackets(events))
    line = keep(_same_line(brackets))
    asked_item = asked.filter(asked["item"] != NOTHING).anti_join(line, "n")
    item = keep(_same_item(brackets, asked_item))
    asked_latest = asked.anti_join(line, "n").anti_join(item, "n")
    latest = _latest(sales, asked_latest)
    found = keep(ibis.union(named, line, item, latest))
    returned = keep(_applied(back, found, sales))
    for table in (found, item, line, brackets, asked, named, back, log):
        drop(table)
    return returned


def _of_customers_with_returns(lines: ir.Table) -> ir.Table:
    customers = lines.filter(lines["back"]).select("customer_id").distinct()
    return lines.semi_join(customers, "customer_id")


def _alike(lines: ir.Table) -> ir.Table:
    """Give lines the same columns, whatever the log has."""
    there = set(lines.columns)
    none = ibis.literal(NOTHING)
    no_name = ibis.null(dt.string)
    order = lines["order_id"] if "order_id" in there else no_name
    reverses = lines["reverses"] if "reverses" in there else no_name
    pieces = lines["quantity"] if "quantity" in there else ibis.literal(Decimal(0), SUM)
    pieces = pieces.fill_null(Decimal(0)).cast(SUM)
    counted = pieces if "quantity" in there else ibis.literal(Decimal(1), SUM)
    return lines.select(
        "customer_id",
        "date",
        "at",
        "back",
        order_id=order,
        order=order.fill_null(NOTHING),
        item=lines["item"].fill_null(NOTHING) if "item" in there else none,
        pieces=pieces,
        worth=lines["amount"].abs().cast(SUM).fill_null(counted),
        named=ibis.coalesce(reverses, order),
        stated=reverses.notnull(),
    )


def _on_the_day_of_its_order(lines: ir.Table) -> ir.Table:
    """Date what was sold as :func:`roll_up` does."""
    sold = lines.filter(~lines["back"] & lines["order_id"].notnull())
    split = days_of_orders(sold)
    moved = split.filter(split["split"]).select("customer_id", "order_id", "first")
    both = lines.left_join(moved, ["customer_id", "order_id"])
    first = ibis.ifelse(both["back"], ibis.null(dt.date), both["first"])
    return both.select(
        *[name for name in lines.columns if name != "date"],
        date=ibis.coalesce(first, both["date"]),
    )


def _named(back: ir.Table, sales: ir.Table) -> ir.Table:
    """The order of the same customer that a return names, or whose number it has.

    Of an order of several days it is the part that came last before the return.
    """
    orders = sales.filter(sales["order_id"].notnull()).select(*ORDER).distinct()
    pairs = back.join(
        orders,
        [
            back["customer_id"] == orders["customer_id"],
            back["named"] == orders["order"],
            back["date"] >= orders["date"],
        ],
    ).select("n", order=orders["order"], order_date=orders["date"])
    found = pairs.group_by("n", "order").aggregate(order_date=pairs["order_date"].max())
    return _found(found, NAMED)


def _events(sales: ir.Table, asked: ir.Table) -> ir.Table:
    """Sales and returns of lines of which something is asked for."""
    has_items = asked.filter(asked["item"] != NOTHING)
    same_item = ["customer_id", "item"]
    candidates = sales.filter(sales["item"] != NOTHING).semi_join(has_items, same_item)
    others = sales.filter(sales["item"] == NOTHING).semi_join(asked, list(SAME_LINE))
    sold = candidates.union(others).select(*EVENT)
    return ibis.union(
        sold.mutate(n=ibis.null(asked["n"].type()), way=ibis.literal(SOLD, dt.int32)),
        asked.select(*EVENT, "n").mutate(way=ibis.literal(ASKED, dt.int32)),
    )


def _brackets(events: ir.Table) -> ir.Table:
    """Sales and returns of the same line, paired as brackets are: the last sold goes back first.

    A sale opens a bracket and a return closes the one opened last. The level of both is how many
    are open with them; on one level sales and returns alternate, so that each return takes back
    the sale before it on its level, and has none where a return comes before it.
    """
    columns = events.columns
    by = list(SAME_LINE)
    first = ibis.window(
        group_by=by, order_by=[events["at"], events["way"].desc(), "date", "order", "n"]
    )
    events = events.mutate(place=ibis.row_number().over(first))
    so_far = ibis.window(group_by=by, order_by="place", rows=(None, 0))
    events = events.mutate(open=events["way"].sum().over(so_far))
    events = events.mutate(lowest=events["open"].min().over(so_far))
    still_open = events["open"] - ibis.least(events["lowest"], 0)
    events = events.mutate(level=still_open + (events["way"] < 0).cast(dt.int64))
    level = ibis.window(group_by=[*by, "level"], order_by="place")
    before = {name: events[name].lag().over(level) for name in ("way", "date", "order")}
    return events.select(
        *columns,
        **{f"{name}_before": value for name, value in before.items()},
        back_at=events["at"].lead().over(level),
    )


def _some_of_each(named: ir.Table, asked: ir.Table, bring: Bring) -> bool:
    counts = [table.aggregate(many=table.count()) for table in (named, asked)]
    return all(bring(ibis.union(*counts))["many"].to_pylist())


def _names(named: ir.Table, back: ir.Table, events: ir.Table) -> ir.Table:
    """Returns that name an order with the same line, where another return asks for the item."""
    which = named.select("n", of_order="order", of_date="order_date")
    found = back.join(which, "n").drop("date", "order")
    found = found.rename(date="of_date", order="of_order")
    sold = events.filter(events["way"] == SOLD)
    found = found.semi_join(sold, [*SAME_LINE, "date", "order"])
    return found.select(*EVENT, "n").mutate(way=ibis.literal(NAMES, dt.int32))


def _with_names(events: ir.Table, names: ir.Table, bring: Bring, send: Send) -> ir.Table:
    """As :func:`_brackets`, but rows of orders that returns name are gone for those after them."""
    lines = names.select(*SAME_LINE).distinct()
    both = ibis.union(events.semi_join(lines, list(SAME_LINE)), names.select(*events.columns))
    found = bring(both)
    if not found.num_rows:
        return _brackets(events)
    pairs = _brackets(events.anti_join(lines, list(SAME_LINE)))
    kinds = {
        **{field.name: field.type for field in found.schema},
        **{f"{name}_before": found.schema.field(name).type for name in ("way", "date", "order")},
        "back_at": found.schema.field("at").type,
    }
    replayed = pa.Table.from_pylist(
        replay(found.to_pylist(), SAME_LINE),
        schema=pa.schema([(name, kinds[name]) for name in pairs.columns]),
    )
    return pairs.union(send(replayed).cast(pairs.schema()))


def _same_line(brackets: ir.Table) -> ir.Table:
    """The order with the line that a return takes back as a whole."""
    paired = brackets.filter((brackets["way"] < 0) & (brackets["way_before"] > 0))
    found = paired.select("n", order=paired["order_before"], order_date=paired["date_before"])
    return _found(found, LINE)


def _same_item(brackets: ir.Table, asked: ir.Table) -> ir.Table:
    """The latest order before with the item, not yet taken back; best one with as much of it."""
    sold = brackets.filter(brackets["way"] > 0)
    pairs = asked.join(
        sold,
        [
            asked["customer_id"] == sold["customer_id"],
            asked["item"] == sold["item"],
            asked["at"] >= sold["at"],
        ],
    )
    enough = ibis.ifelse(
        asked["pieces"] > 0, sold["pieces"] >= asked["pieces"], sold["worth"] >= asked["worth"]
    )
    pairs = pairs.select(
        n=asked["n"],
        order=sold["order"],
        order_date=sold["date"],
        sold_at=sold["at"],
        enough=enough.cast(dt.int8),
        worth=sold["worth"],
        gone=(sold["back_at"] <= asked["at"]).fill_null(ibis.literal(value=False)),
    )
    pairs = pairs.filter(~pairs["gone"])
    best = ibis.window(
        group_by="n",
        order_by=[pairs[c].desc() for c in ("enough", "sold_at", "order", "order_date", "worth")],
    )
    ranked = pairs.mutate(rank=ibis.row_number().over(best))
    return _found(ranked.filter(ranked["rank"] == 0), ITEM)


def _latest(sales: ir.Table, asked: ir.Table) -> ir.Table:
    """The customer's latest order before; one that was free has nothing to take back."""
    orders = (
        sales.semi_join(asked, "customer_id")
        .group_by(*ORDER)
        .aggregate(at=lambda t: t["at"].min(), worth=lambda t: t["worth"].sum())
    )
    orders = orders.filter(orders["worth"] > 0)
    columns = ("at", *ORDER)
    events = ibis.union(
        orders.select(*columns, n=ibis.null(asked["n"].type())), asked.select(*columns, "n")
    )
    is_order = events["n"].isnull()
    by_time = ibis.window(
        group_by="customer_id",
        order_by=[events["at"], is_order.desc(), "date", "order", "n"],
    )
    events = events.mutate(place=ibis.row_number().over(by_time))
    so_far = ibis.window(group_by="customer_id", order_by="place", rows=(None, 0))
    place_of_order = ibis.ifelse(events["n"].isnull(), events["place"], None)
    events = events.mutate(before=place_of_order.max().over(so_far))
    back = events.filter(events["n"].notnull()).select("n", "customer_id", "before")
    bought = events.filter(events["n"].isnull()).select("customer_id", "place", "date", "order")
    found = back.join(
        bought,
        [back["customer_id"] == bought["customer_id"], back["before"] == bought["place"]],
    ).select("n", order=bought["order"], order_date=bought["date"])
    return _found(found, LATEST)


def _found(table: ir.Table, step: int) -> ir.Table:
    return table.select("n", "order", "order_date", step=ibis.literal(step, dt.int32))


def _applied(back: ir.Table, found: ir.Table, sales: ir.Table) -> ir.Table:
    """One row per return with what it takes from its order: no more than earlier ones left."""
    of_back = back.select("n", "customer_id", "date", "at", "order_id", "worth", "stated")
    with_order = of_back.left_join(found, "n").drop("n_right")
    days = found.join(back.select("n", "customer_id"), "n").select(
        "customer_id", date=found["order_date"]
    )
    orders = (
        sales.semi_join(days, ["customer_id", "date"])
        .group_by(*ORDER)
        .aggregate(order_worth=lambda t: t["worth"].sum())
    )
    per_day = ibis.window(group_by=["customer_id", "date"])
    orders = orders.mutate(day_orders=orders["order"].count().over(per_day))
    known = with_order.left_join(
        orders,
        [
            with_order["customer_id"] == orders["customer_id"],
            with_order["order_date"] == orders["date"],
            with_order["order"] == orders["order"],
        ],
    ).select(*with_order.columns, "order_worth", "day_orders")
    before = ibis.window(
        group_by=["customer_id", "order_date", "order"],
        order_by=["date", "at", "n"],
        rows=(None, -1),
    )
    earlier = known["worth"].sum().over(before).fill_null(Decimal(0))
    left = ibis.greatest(known["order_worth"] - earlier, Decimal(0))
    applied = ibis.ifelse(known["step"].notnull(), ibis.least(known["worth"], left), Decimal(0))
    known = known.mutate(applied=applied.cast(SUM))
    own = sales.select("customer_id", "at", order_id="order", _own=ibis.literal(value=True))
    both = known.left_join(own.distinct(), ["customer_id", "order_id", "at"])
    reduces = both["_own"].fill_null(ibis.literal(value=False)) & ~both["stated"]
    names = [name for name in known.columns if name not in {"n", "stated"}]
    return both.select(*names, reduces_price=reduces)
