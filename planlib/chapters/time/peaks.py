"""Peak seasons: the months that stand out, and what has to be ready before them."""

import math
from datetime import date, datetime, timedelta

import pandas as pd

from planlib import plan as tables
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT

NOBODY = "all"  # the one customer of orders that name none
TIERS = {
    "introduction": "threshold discount",
    "growth": "threshold discount",
    "maturity": "bundle",
    "decline": "time-limited clearance",
    "exit": "time-limited clearance",
}


def peaks(path: pd.DataFrame, line: float) -> pd.DataFrame:
    """Which months are peaks: month, amount (minor units), against_mean (factor), peak (TIM-5).

    A month is a peak when it lies at least `line` times the mean month.
    """
    frame = tables.rollup(path, ["month"])
    mean = float(frame[AMOUNT].mean())
    frame["against_mean"] = (frame[AMOUNT] / mean).round(9) if mean > 0 else 1.0
    return frame.assign(peak=frame["against_mean"] >= line)


def stock_steps(found: pd.DataFrame, months_ahead: int, extra: float) -> pd.DataFrame:
    """How much stock above the plain one each month ends with: month, extra (share) (TIM-5).

    Before a peak the stock rises in equal steps over `months_ahead` months to `extra` above the plain one, which it reaches at
    the end of the month before; a peak sells it off again, unless the next one stands near. Peaks after the plan year are not
    known.
    """
    peak = found["peak"].tolist()
    rows = []
    for place, month in enumerate(found["month"]):
        near = [
            months_ahead - ahead + 1 for ahead in range(1, months_ahead + 1) if any(peak[place + ahead : place + ahead + 1])
        ]
        rows.append((month, extra * max(near, default=0) / months_ahead))
    return pd.DataFrame(rows, columns=["month", "extra"])


def stock_plan(
    plan: pd.DataFrame, steps: pd.DataFrame, unit: pd.DataFrame, cover: float, inventory: pd.DataFrame | None, horizon: Horizon
) -> pd.DataFrame:
    """Stock by product at the end of each open month: product, month, plain, stock (minor units, at cost), pieces (TIM-5).

    `plan`: product, amount, and month where a closed season is to be told; `unit`: from `unit_values`; `cover`: months of a
    mean month's cost held as plain stock. With
    `inventory` (product, quantity, value in minor units) each product's own cover, value over its mean monthly cost of the
    last twelve months, takes its place, so that stock keeps pace with the plan. Where the months that the cover is for sell
    nothing (a closed season), none is held; after the plan year its months come again.
    """
    mean = tables.rollup(plan, ["product"]).merge(unit, how="left", on="product")
    cost = mean[AMOUNT] / len(horizon.months) * mean["cost_share"].fillna(1.0)
    mean["cover"] = cover
    if inventory is not None:
        held = inventory.groupby("product")["value"].sum()
        own = mean["product"].map(held) / mean["monthly_cost"].where(mean["monthly_cost"] > 0)
        mean["cover"] = own.fillna(cover)
    mean["plain"] = (cost * mean["cover"]).round().clip(lower=0).astype("int64")
    frame = mean[["product", "cover", "plain", "unit_cost"]].merge(steps[steps["month"].isin(horizon.open)], how="cross")
    frame["plain"] = frame["plain"].where(_sells(plan, frame, horizon), 0)
    frame = frame.drop(columns="cover")
    frame["stock"] = (frame["plain"] * (1 + frame["extra"])).round().astype("int64")
    frame["pieces"] = (frame["stock"] / frame.pop("unit_cost")).round()
    return frame.drop(columns="extra").sort_values(["product", "month"], ignore_index=True)


def _sells(plan: pd.DataFrame, held: pd.DataFrame, horizon: Horizon) -> list[bool]:
    """Whether the months that a stock covers sell anything; `held`: product, month (at whose end it lies), cover (months)."""
    if "month" not in plan:
        return [True] * len(held)
    sold = tables.rollup(plan, ["product", "month"]).set_index(["product", "month"])[AMOUNT].to_dict()
    place = {month: number for number, month in enumerate(horizon.months)}
    return [
        any(
            sold.get((row.product, horizon.months[(place[row.month] + ahead) % len(place)]), 0) > 0
            for ahead in range(1, min(len(place), max(1, math.ceil(row.cover))) + 1)
        )
        for row in held.itertuples()
    ]


def unit_values(sold: pd.DataFrame, months: int = 12) -> pd.DataFrame:
    """What a product costs: product, cost_share (of revenue), monthly_cost, unit_cost (minor units) over some months (TIM-5).

    `sold`: product, amount, quantity, and cost where known, over the last `months` that are known; without cost, stock counts
    at its sales value.
    """
    cost = sold["cost"] if "cost" in sold else sold[AMOUNT]
    frame = pd.DataFrame({"product": sold["product"], "cost_share": tables.ratio(cost, sold[AMOUNT])})
    return frame.assign(monthly_cost=cost / max(1, months), unit_cost=tables.ratio(cost, sold["quantity"]))


def peak_months(found: pd.DataFrame, stock: pd.DataFrame, heads: int | None, extra: float, month_cost: int) -> pd.DataFrame:
    """Stock and temporary staff month by month (TIM-5).

    `heads`: people now, None where that is not known; in a peak the people budget grows by `extra`, as temporary staff;
    `month_cost`: one person a month, minor units, 0 when not known. Returns month, amount, against_mean, stock_plain, stock
    (minor units), pieces, and where known staff (heads) and staff_cost (minor units); open months only.
    """
    sums = stock.groupby("month").agg(stock_plain=("plain", "sum"), stock=("stock", "sum"), pieces=("pieces", "sum"))
    frame = found[found["month"].isin(sums.index)].merge(sums.reset_index(), on="month")
    if heads is not None:
        more = math.ceil(round(heads * extra, 9))
        frame["staff"] = [more if peak else 0 for peak in frame["peak"]]
        if month_cost > 0:
            frame["staff_cost"] = frame["staff"] * month_cost
    return frame.drop(columns="peak")


def employed(staff: pd.DataFrame | None, day: date) -> int | None:
    """How many people the company has on a day; None when it brings no staff table (TIM-5)."""
    if staff is None:
        return None
    here = pd.to_datetime(staff["hired"]) <= pd.Timestamp(day)
    gone = pd.to_datetime(staff["left"]) <= pd.Timestamp(day) if "left" in staff else pd.Series(False, index=staff.index)
    return int((here & ~gone).sum())


def key_accounts(
    bought: pd.DataFrame, found: pd.DataFrame, horizon: Horizon, count: int, coverage: Coverage | None = None
) -> pd.DataFrame:
    """The largest customers of last year, whose volumes of the peaks still to come are signed first (TIM-5).

    `bought`: customer, month, amount of last year (minor units); `found`: from `peaks`. To sign is what an account bought in
    the same months of last year, with the plan's growth of these months; peaks whose last year the orders do not cover
    (`coverage`, all by default) do not count, and with no other to_sign and in_peaks are missing. Returns customer, last_year,
    in_peaks, to_sign (minor units; never below 0), the `count` largest; ties go to the smaller name. No row for orders without
    customers.
    """
    names = dict(zip(horizon.months, horizon.last_year, strict=True))
    told = horizon.last_year if coverage is None else coverage.window("last year", horizon.last_year).known
    coming = found[found["peak"] & found["month"].isin(horizon.open)]
    known = coming["month"].map(names).isin(told)
    unknown = len(coming) > 0 and not known.any()
    coming = coming[known]
    in_peaks = bought["month"].isin([names[month] for month in coming["month"]])
    then = int(bought.loc[in_peaks, AMOUNT].sum())
    growth = float(coming[AMOUNT].sum()) / then if then > 0 else 1.0
    sums = bought.groupby("customer")[AMOUNT].sum().rename("last_year").to_frame()
    sums["in_peaks"] = bought[in_peaks].groupby("customer")[AMOUNT].sum().reindex(sums.index, fill_value=0)
    sums["to_sign"] = (sums["in_peaks"].clip(lower=0) * growth).round().astype("int64")
    if unknown:
        sums[["in_peaks", "to_sign"]] = float("nan")
    frame = sums[sums["last_year"] > 0].reset_index().sort_values(["last_year", "customer"], ascending=[False, True])
    return frame[frame["customer"] != NOBODY].head(count).reset_index(drop=True)


def promotion_tiers(stages: pd.DataFrame | None, products: pd.Series) -> pd.DataFrame:
    """The kind of promotion a product's stage of life calls for: product, stage, promotion (TIM-5).

    `stages`: product, stage, and quadrant where known. New products threshold discounts, mature ones bundles, declining ones
    time-limited clearance; a product whose stage is not known, or that declines but is still a cash cow, counts as mature.
    """
    known = pd.Series(dtype=str) if stages is None else stages.drop_duplicates("product").set_index("product")["stage"]
    frame = pd.DataFrame({"product": sorted(set(products))})
    frame["stage"] = [known.get(name, "maturity") for name in frame["product"]]
    if stages is not None and "quadrant" in stages:
        milked = set(stages.loc[(stages["quadrant"] == "cash cow") & (stages["stage"] == "decline"), "product"])
        frame["stage"] = frame["stage"].where(~frame["product"].isin(milked), "maturity")
    return frame.assign(promotion=frame["stage"].map(TIERS).fillna(TIERS["maturity"]))


def presales(holidays: pd.DataFrame, calendar: pd.DataFrame | None, hours: int) -> pd.DataFrame:
    """When rivals are expected to open their pre-sale, and when to open ours: holiday, date, rivals_expected, presale (TIM-5).

    `holidays`: holiday, date (text) of the plan year; `calendar`: event, date, rivals_from (the day on which rivals opened in
    the past). Rivals are expected as early as they ever were; ours opens `hours` earlier. Missing where their past is not
    known.
    """
    lead: dict[str, int] = {}
    if calendar is not None and "rivals_from" in calendar:
        past = calendar.dropna(subset=["rivals_from"])
        ahead = (pd.to_datetime(past["date"]) - pd.to_datetime(past["rivals_from"])).dt.days
        lead = {str(event): int(most) for event, most in ahead.groupby(past["event"]).max().items()}
    rows: list[tuple[str, str, str | None, str | None]] = []
    for row in holidays.itertuples():
        if row.holiday not in lead:
            rows.append((row.holiday, row.date, None, None))
            continue
        theirs = datetime.fromisoformat(row.date) - timedelta(days=lead[row.holiday])
        ours = theirs - timedelta(hours=hours)
        rows.append((row.holiday, row.date, f"{theirs:%Y-%m-%d}", f"{ours:%Y-%m-%d %H:%M}"))
    return pd.DataFrame(rows, columns=["holiday", "date", "rivals_expected", "presale"])


def peak_calendar(
    holidays: pd.DataFrame, sales: pd.DataFrame, months_ahead: int, as_of: date, staff_days: int = 30
) -> pd.DataFrame:
    """What has to happen when, holiday by holiday, for those still to come (TIM-5).

    `holidays`: from `holiday_plan`; `sales`: from `presales`. Stock is built from `months_ahead` months before the season's
    first day, which is also when key accounts are asked; they are signed and staff is hired `staff_days` before it; half the
    season in, the held-back budget is released. Returns holiday, stock_from, accounts_by, rivals_expected, presale, first_day,
    date, release, last_day (text).
    """
    table = holidays.merge(sales, on=["holiday", "date"], validate="one_to_one")
    table = table[table["last_day"] > f"{as_of}"].reset_index(drop=True)
    first, last = pd.to_datetime(table["first_day"]), pd.to_datetime(table["last_day"])
    table["stock_from"] = _text(first - pd.DateOffset(months=months_ahead))
    table["accounts_by"] = _text(first - pd.Timedelta(days=staff_days))
    table["release"] = _text(first + (last - first) // 2)
    columns = ["holiday", "stock_from", "accounts_by", "rivals_expected", "presale", "first_day", "date", "release", "last_day"]
    return table[columns]


def exceptions(days: pd.DataFrame, sold: pd.DataFrame, as_of: date, hours: int) -> pd.DataFrame:
    """The busiest day still to come and the orders that will go wrong on it: day, lines, exceptions, open_at_once (TIM-5).

    `days`: day, amount of the plan; `sold`: one row of the last twelve months, amount, lines, returned (minor units, negative).
    Lines at last year's value of a line; exceptions at the share of money that came back. Solved within `hours`, no more than
    `open_at_once` wait at a time. No row when nothing is left to come.
    """
    ahead = days[days["day"] > pd.Timestamp(as_of)].groupby("day")[AMOUNT].sum()
    line = float(sold[AMOUNT].iloc[0]) / max(1, int(sold["lines"].iloc[0]))
    if ahead.empty or line <= 0:
        return pd.DataFrame(columns=["day", "lines", "exceptions", "open_at_once"])
    lines = max(0, round(float(ahead.max()) / line))
    gone_wrong = -float(sold["returned"].iloc[0]) / (float(sold[AMOUNT].iloc[0]) - float(sold["returned"].iloc[0]))
    day = f"{ahead.idxmax():%Y-%m-%d}"
    wrong = math.ceil(round(lines * gone_wrong, 9))
    waiting = math.ceil(round(wrong * hours / 24, 9))
    return pd.DataFrame({"day": [day], "lines": [lines], "exceptions": [wrong], "open_at_once": [waiting]})


def _text(days: pd.Series) -> pd.Series:
    return days.dt.strftime("%Y-%m-%d")
