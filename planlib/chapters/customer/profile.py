"""Who buys: groups by recency, frequency and money, behaviour, needs (CUS-1) and the stage of each customer's life (CUS-2)."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from planlib import periods
from planlib.chapters.customer.parameters import Parameters
from planlib.data.sources import Tables
from planlib.estimates import rfm
from planlib.periods import Horizon
from planlib.plan import AMOUNT, EVERYTHING, by_key, ratio

SEGMENTS = ["High value", "Potential", "Ordinary", "Dormant", "New"]
STAGES = ["introduction", "growth", "maturity", "decline"]
UNKNOWN = "not known"
# Members a profile shows of each kind, largest first.
MOST = 8


def groups(
    customers: pd.DataFrame, everyone: pd.DataFrame, day: date | str, parameters: Parameters, told: bool = True
) -> pd.DataFrame:
    """One row for everyone: customer, segment on `day`, a month's first; who had not bought by then is New (CUS-1).

    `customers`: see `rfm.segments`, before that day. `everyone`: customer, all that have orders. Where orders name no
    customer (one member, `all`), or history is too short (not `told`), there is one group, `All`.
    """
    names = sorted(set(everyone["customer"]))
    if names == [EVERYTHING] or not told:
        return pd.DataFrame({"customer": names, "segment": "All"})
    known = segments(customers, pd.Timestamp(day), parameters).set_index("customer")["segment"]
    return pd.DataFrame({"customer": names, "segment": known.reindex(names).fillna("New").to_numpy()})


def segments(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> pd.DataFrame:
    """Each customer's group on `day` (CUS-1): customer, segment, score; who is not there yet is New. See rfm.segments."""
    return rfm.segments(customers, day, parameters)


def people(
    stored: Tables,
    horizon: Horizon,
    grouped: pd.DataFrame,
    parameters: Parameters,
    first_told: bool = True,
    change_told: bool = True,
) -> pd.DataFrame:
    """Everything known of each customer with an order up to `as_of` (CUS-1, CUS-2).

    `grouped`: customer, segment; `first_told`, `change_told`: see `stage`. Returns customer, segment, first, last (days),
    orders, days, amount, repeat_amount (see Tables.customers), recent and earlier (net of the last twelve months and of the
    twelve before, minor units), recent_orders, region, industry, size, city ("unknown" where the table is silent), need,
    need_from ("stated" or "inferred") and stage. Empty where orders name no customers.
    """
    now, before, earlier = (stored.customers(until=f"{day:%Y-%m-%d}") for day in _year_ends(horizon))
    frame = now.merge(grouped, on="customer", how="left")
    if set(frame["customer"]) == {EVERYTHING}:
        frame = frame.iloc[:0]
    for name, past in (("before", before), ("earlier", earlier)):
        at = past.set_index("customer")
        for column in (AMOUNT, "orders"):
            frame[f"{name}_{column}"] = by_key(frame["customer"], at[column])
    frame["recent"] = frame[AMOUNT] - frame["before_amount"]
    frame["recent_orders"] = frame["orders"] - frame["before_orders"]
    frame["earlier"] = frame["before_amount"] - frame["earlier_amount"]
    frame = frame.drop(columns=[name for name in frame if name.startswith(("before_", "earlier_"))])
    frame = _known(frame, stored)
    frame = _with_needs(frame, stored, horizon.until, parameters.need_discount)
    frame["stage"] = stage(frame, pd.Timestamp(horizon.as_of), parameters, first_told, change_told)
    return frame


def stage(
    customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters, first_told: bool = True, change_told: bool = True
) -> pd.Series:
    """Each customer's stage of life on `day` (CUS-2): introduction, growth, maturity, decline, or "not known".

    customers: first, last (dates), recent, earlier (revenue of the last twelve months and the twelve before). First order
    within `introduction_months`: introduction. Silent for `dormant_months`, or `stage_decline` under the year before:
    decline. `stage_growth` above it: growth. Else maturity. `first_told`: a first order within `introduction_months` is known
    to be one; `change_told`: both windows are known in full. What hangs on what is not told is not known.
    """
    new = customers["first"] > day - pd.DateOffset(months=parameters.introduction_months)
    silent = customers["last"] <= day - pd.DateOffset(months=parameters.dormant_months)
    change = _change(customers["recent"], customers["earlier"], change_told)
    chosen = [new, silent | (change <= -parameters.stage_decline), change >= parameters.stage_growth]
    names = ["introduction" if first_told else UNKNOWN, "decline", "growth"]
    found = np.select(chosen, names, "maturity" if change_told else UNKNOWN)
    return pd.Series(found, index=customers.index, dtype="str")


def stages(customers: pd.DataFrame) -> pd.DataFrame:
    """How many customers are in which stage and what they brought (CUS-2): stage, customers, recent (minor units), share."""
    found = customers.groupby("stage").agg(customers=("customer", "size"), recent=("recent", "sum"))
    rows = [*STAGES, *([UNKNOWN] if UNKNOWN in found.index else [])]
    found = found.reindex(rows, fill_value=0).astype("int64").reset_index()
    return found.assign(share=ratio(found["recent"], pd.Series(int(found["recent"].sum()), index=found.index)))


def needs(bought: pd.DataFrame, discount: float) -> pd.Series:
    """What each customer asks for first, read off its purchases (CUS-1): customer -> price, technology or service.

    bought: customer, product, amount, quantity. Paid `discount` or more under the products' average price: price. Else, bought
    models dearer per piece than the company's average piece: technology. Else, full price for plain models: service.
    """
    sold = bought[(bought["quantity"] > 0) & (bought[AMOUNT] > 0)]
    total = sold.groupby("product")[[AMOUNT, "quantity"]].sum()
    # Of services, which have no pieces, no price per piece is known: as number, or an empty map would be text.
    usual = sold["quantity"] * sold["product"].map(total[AMOUNT] / total["quantity"]).astype(float)
    by = sold.assign(usual=usual).groupby("customer")[[AMOUNT, "quantity", "usual"]].sum()
    paid = (by[AMOUNT] / by["usual"]).round(9)
    dear = (by["usual"] / by["quantity"]).round(6) > round(total[AMOUNT].sum() / max(total["quantity"].sum(), 1e-9), 6)
    found = np.select([paid <= round(1 - discount, 9), dear], ["price", "technology"], "service")
    return pd.Series(found, index=by.index, dtype="str")


def agreement(customers: pd.DataFrame) -> float | None:
    """How often the inferred need is the stated one, among customers who stated theirs (CUS-1); None where nobody did."""
    stated = customers[customers["need_from"] == "stated"]
    return float((stated["need"] == stated["inferred"]).mean()) if len(stated) else None


def profile(grouped: pd.DataFrame, customers: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """One row per group (CUS-1): segment, customers, orders each so far, amount last year (minor units), share."""
    size = (
        grouped.merge(customers, on="customer", how="left")
        .groupby("segment")
        .agg(customers=("customer", "size"), orders=("orders", "mean"))
    )
    money = last_year.groupby("segment")[AMOUNT].sum().astype("Int64")
    frame = size.join(money, how="outer").reindex(
        [name for name in [*SEGMENTS, "All"] if name in size.index.union(money.index)]
    )
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    frame[AMOUNT] = frame[AMOUNT].fillna(0).astype("int64")
    frame["share"] = frame[AMOUNT] / max(1, int(frame[AMOUNT].sum()))
    return frame.rename_axis("segment").reset_index()


def kinds(
    customers: pd.DataFrame, stored: Tables, horizon: Horizon, parameters: Parameters, change_told: bool = True
) -> pd.DataFrame:
    """Who buys, by industry, size and region (CUS-1), and where each stands in its life (CUS-2), over the last twelve months.

    Returns kind, member, customers (who bought), share (of revenue), frequency (orders each), basket (minor units an order),
    favourite (product), channel (favourite), need (most frequent, "unknown" left aside), stage (from summed revenue; "not
    known" where the windows do not tell the change).
    """
    parts = []
    span = (horizon.last_twelve[0], horizon.last_twelve[-1])
    total = max(1, int(customers["recent"].sum()))
    names = {"product": "favourite", "channel": "preferred_channel"}
    sold = {column: stored.orders(["customer", column], since=span[0], until=span[1]) for column in names}
    for kind in ("industry", "size", "region"):
        known = customers[customers[kind] != "unknown"]
        if known.empty:
            continue
        buyers = known[known["recent_orders"] > 0]
        found = buyers.groupby(kind).agg(customers=("customer", "size"), orders=("recent_orders", "sum"))
        sums = known.groupby(kind)[["recent", "earlier"]].sum()
        found = found.join(sums, how="left").sort_values(["recent", "customers"], ascending=False, kind="stable").head(MOST)
        found["share"] = found["recent"] / total
        found["frequency"] = found["orders"] / found["customers"]
        found["basket"] = (found["recent"] / found["orders"]).round().astype("int64")
        for column, name in names.items():
            found[name] = found.index.map(_favourite(sold[column], known, kind, column))
        found["need"] = buyers.groupby(kind)["need"].agg(_commonest)
        young = known[known["stage"] == "introduction"].groupby(kind)["recent"].sum().reindex(found.index).fillna(0)
        found["stage"] = _group_stage(found, young, parameters, change_told)
        parts.append(found.rename_axis("member").reset_index().assign(kind=kind))
    columns = ["kind", "member", "customers", "share", "frequency", "basket", "favourite", "preferred_channel", "need", "stage"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _group_stage(found: pd.DataFrame, young: pd.Series, parameters: Parameters, change_told: bool) -> np.ndarray:
    change = _change(found["recent"], found["earlier"], change_told)
    chosen = [young > 0.5 * found["recent"], change <= -parameters.stage_decline, change >= parameters.stage_growth]
    return np.select(chosen, ["introduction", "decline", "growth"], "maturity" if change_told else UNKNOWN)


def _change(recent: pd.Series, earlier: pd.Series, told: bool) -> pd.Series:
    """Growth on the year before; who had nothing then has grown, who has nothing at all is gone. Missing where not told."""
    if not told:
        return pd.Series(np.nan, index=recent.index)
    change = ((recent - earlier) / earlier.where(earlier > 0)).astype(float).round(9)
    return change.where(change.notna(), np.where(recent > 0, 1.0, -1.0))


def _year_ends(horizon: Horizon) -> Sequence[pd.Timestamp]:
    if horizon.calendar.own:
        ends = [periods.step(horizon.until, -back * len(horizon.months)) for back in range(3)]
        return [pd.Timestamp(horizon.calendar.last(end)) for end in ends]
    last = pd.Timestamp(horizon.as_of)
    ends = [last - pd.DateOffset(years=back) for back in range(3)]
    # The end of February stays the end of a month in every year.
    return [day + pd.offsets.MonthEnd(0) if last.is_month_end else day for day in ends]


def _known(frame: pd.DataFrame, stored: Tables) -> pd.DataFrame:
    """The columns of the customers table; a region it lacks is the one a customer bought most in."""
    table = stored.get("customers")
    for column in ("region", "industry", "size", "city", "need"):
        told = table.set_index("customer")[column] if table is not None and column in table else pd.Series(dtype="str")
        frame[column] = frame["customer"].map(told).astype("str").replace("", np.nan).fillna("unknown")
    if (frame["region"] == "unknown").any():
        by = stored.orders(["customer", "region"]).sort_values(["customer", AMOUNT, "region"], ascending=[True, False, True])
        most = by.drop_duplicates("customer").set_index("customer")["region"]
        frame["region"] = frame["region"].where(frame["region"] != "unknown", frame["customer"].map(most))
    return frame


def _with_needs(frame: pd.DataFrame, stored: Tables, until: str, discount: float) -> pd.DataFrame:
    inferred = needs(stored.orders(["customer", "product"], until=until), discount)
    frame["inferred"] = frame["customer"].map(inferred).fillna("service")
    stated = frame["need"] != "unknown"
    frame["need_from"] = np.where(stated, "stated", "inferred")
    frame["need"] = frame["need"].where(stated, frame["inferred"])
    return frame


def _favourite(sold: pd.DataFrame, known: pd.DataFrame, kind: str, column: str) -> pd.Series:
    """Which product or channel brings most revenue from each member of a kind. sold: customer, `column`, amount."""
    marked = sold.assign(member=sold["customer"].map(known.set_index("customer")[kind]))
    sums = marked.groupby(["member", column], as_index=False)[AMOUNT].sum()
    best = sums.sort_values(["member", AMOUNT, column], ascending=[True, False, True]).drop_duplicates("member")
    return best.set_index("member")[column]


def _commonest(values: pd.Series) -> str:
    counts = values.value_counts()
    return str(sorted(counts[counts == counts.max()].index)[0])
