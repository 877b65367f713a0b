"""Holidays in the plan: their days, what is sold in them, how regions differ, and what advertising may cost."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy.stats import norm

from planlib.chapters.members import refuse, strangers
from planlib.errors import ParameterError
from planlib.estimates.festivals import EVERYWHERE, festival_days
from planlib.estimates.moving import Moving
from planlib.periods import Horizon
from planlib.plan import AMOUNT


class Dated(BaseModel):
    """Where a festival is dated and kept: a country's or market's calendar of the package `holidays`, the names it has there.

    Without a country or market its rule or the `calendar` table dates it; without regions it is kept everywhere.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    subdivision: str | None = None
    market: str | None = None
    called: list[str] = []
    regions: list[str] = []

    @field_validator("called", "regions", mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Window(Dated):
    """The days of a holiday's season: `before` its first day, and `after` its last."""

    before: Annotated[int, Field(ge=0, le=60)] = 0
    after: Annotated[int, Field(ge=0, le=60)] = 0


class Festival(Dated):
    """The days around a festival that moves months; those that are not stated are read from the days sold."""

    before: Annotated[int, Field(ge=0, le=60)] | None = None
    after: Annotated[int, Field(ge=0, le=60)] | None = None


def named(value: Any) -> Any:
    """A list of festivals as the mapping that it stands for."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    return {name: {} if own is None else own for name, own in value.items()} if isinstance(value, dict) else value


def holiday_days(
    years: Sequence[int], names: Sequence[str] | Mapping[str, Dated], calendar: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The days of holidays, moving and fixed: holiday, date (first day), last, region; see `festival_days` (TIM-1)."""
    days = festival_days(years, names, calendar, "holidays").rename(columns={"festival": "holiday"})
    return days.sort_values(["date", "holiday", "region"], ignore_index=True)


def windows(days: pd.DataFrame, spans: Mapping[str, Window]) -> pd.DataFrame:
    """Every day of every holiday's season: day, holiday, date (of the holiday), offset (days from it).

    A day in two seasons belongs to the nearer holiday, of equally near ones to the one that comes: no day counts twice.
    """
    rows = [
        (row.date + timedelta(days=step), row.holiday, row.date, step)
        for row in days.itertuples()
        for step in range(-spans[row.holiday].before, (row.last - row.date).days + spans[row.holiday].after + 1)
    ]
    frame = pd.DataFrame(rows, columns=["day", "holiday", "date", "offset"])
    frame["_far"] = frame["offset"].abs()
    frame = frame.sort_values(["day", "_far", "offset", "holiday"]).drop_duplicates("day")
    frame["day"], frame["date"] = pd.to_datetime(frame["day"]), pd.to_datetime(frame["date"])
    return frame.drop(columns="_far").reset_index(drop=True)


def seasons(
    months: Sequence[str], spans: Mapping[str, Window], calendar: pd.DataFrame | None = None, regions: Sequence[str] = ()
) -> pd.DataFrame:
    """Every holiday season that touches the months from the first to the last of some: see `windows` (TIM-1, TIM-5).

    Where a holiday is kept in single `regions` only, each region has its own seasons, in a column `region`.
    """
    years = range(int(min(months)[:4]) - 1, int(max(months)[:4]) + 3)
    days = holiday_days(list(years), {name: spans[name] for name in sorted(spans)}, calendar)
    if not (days["region"] != EVERYWHERE).any():
        return windows(days, spans)
    each = [windows(days[days["region"].isin([EVERYWHERE, name])], spans).assign(region=name) for name in regions]
    return pd.concat(each, ignore_index=True)


def day_spans(holidays: Mapping[str, Window], festivals: Mapping[str, Festival], found: Moving) -> dict[str, Window]:
    """The seasons whose days are planned: holidays, and the festivals that move months with their days (TIM-1)."""
    moved = {
        name: Window.model_validate(festivals[name].model_dump() | {"before": span.before, "after": span.after})
        for name, span in found.spans.items()
        if name in festivals
    }
    return {**moved, **holidays}


def checked_regions(
    festivals: Mapping[str, Dated], holidays: Mapping[str, Dated], calendar: pd.DataFrame | None, regions: Iterable[str]
) -> str:
    """What the calendar table says of regions that the orders lack, a sentence or ""; ParameterError where parameters do so."""
    there = set(regions)
    for section, asked in (("festivals", festivals), ("holidays", holidays)):
        for name, dated in asked.items():
            refuse(f"{section}: {name}: regions", dated.regions, there, "region of the orders")
    if calendar is None or "region" not in calendar:
        return ""
    named = {str(name) for name in calendar["region"].dropna()} - {EVERYWHERE}
    return strangers("calendar", named, there, "region", "its events there move nothing")


def undated(names: Sequence[str], near: pd.DataFrame, horizon: Horizon) -> list[str]:
    """The holidays that have no season in the plan year: neither a rule nor the calendar table dates them in it (TIM-6)."""
    calendar = horizon.calendar
    days = (pd.Timestamp(day) for day in (calendar.first(horizon.months[0]), calendar.last(horizon.months[-1])))
    inside = near["day"].between(*days)
    return sorted(set(names) - set(near.loc[inside, "holiday"]))


def holiday_sales(days: pd.DataFrame, near: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """What the plan sells within holiday seasons: month, sales (minor units), every month of the plan year (TIM-6).

    `days`: day, month, amount; `near`: from `windows`.
    """
    inside = days.merge(near[_keys(near)]).groupby("month")[AMOUNT].sum()
    sales = inside.reindex(horizon.months, fill_value=0)
    return sales.rename("sales").rename_axis("month").reset_index()


def holiday_plan(days: pd.DataFrame, near: pd.DataFrame, cap: float, held_back: float) -> pd.DataFrame:
    """Each holiday of the plan year with its season, sales and the most that advertising may cost (TIM-6, TIM-5).

    `days`: day, amount (minor units); `cap`: advertising as a share of the season's sales, at most; `held_back`: share of that
    budget kept until the season shows what it needs. Returns holiday, date, first_day, last_day (text), days, sales,
    ad_cap, held_back (minor units, rounded down), in the order of the calendar. Sales sum to `holiday_sales`.
    """
    both = near.merge(days.groupby(_keys(near), as_index=False)[AMOUNT].sum(), on=_keys(near))
    rows = []
    for (day, holiday), part in both.groupby(["date", "holiday"], sort=True):
        sales = int(part[AMOUNT].sum())
        most = math.floor(round(max(0, sales) * cap, 6))
        rows.append(
            (holiday, _text(day), _text(part["day"].min()), _text(part["day"].max()), part["day"].nunique(), sales, most)
        )
    frame = pd.DataFrame(rows, columns=["holiday", "date", "first_day", "last_day", "days", "sales", "ad_cap"])
    frame["held_back"] = [math.floor(round(most * held_back, 6)) for most in frame["ad_cap"]]
    return frame.astype({"days": "int64", "sales": "int64", "ad_cap": "int64", "held_back": "int64"})


def holiday_lift(history: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """How much stronger a region's holiday seasons are than the company's: region, seasons, own, lift (factors) (TIM-6).

    `history`: region, day, amount (minor units); `near`: from `windows`, over the history's days. `own` is the region's share
    of what all seasons sold over its share of the days outside (a ratio estimate, its error from the seasons' spread, Cochran
    1977); `lift` is the same shrunk towards the company's 1 by that error (random effects, DerSimonian and Laird 1986). With
    fewer than three seasons every lift is 1. Seasons that only some regions keep do not count.
    """
    if "region" in near:
        near = near[near.groupby("day")["region"].transform("nunique") == history["region"].nunique()].drop_duplicates("day")
    table = history.merge(near[["day", "holiday", "date"]], how="left", on="day")
    inside = table[table["holiday"].notna()].pivot_table(index="region", columns="date", values=AMOUNT, aggfunc="sum")
    outside = table[table["holiday"].isna()].groupby("region")[AMOUNT].sum().clip(lower=0)
    regions = sorted(history["region"].unique())
    sold = inside.reindex(regions).fillna(0).clip(lower=0).to_numpy(dtype=float)
    base = (outside.reindex(regions).fillna(0) / max(1, int(outside.sum()))).to_numpy()
    seasons, company = sold.shape[1], sold.sum(axis=0)
    frame = pd.DataFrame({"region": regions, "seasons": seasons, "own": 1.0, "lift": 1.0})
    known = (base > 0) & (sold.sum(axis=1) > 0)
    if seasons < 3 or known.sum() < 2:
        return frame
    share = sold.sum(axis=1) / company.sum()
    own = np.divide(share, base, out=np.ones(len(base)), where=known)
    squares = ((sold - share[:, None] * company[None, :]) ** 2).sum(axis=1) * seasons / (seasons - 1)
    error = np.divide(squares, (company.sum() * base) ** 2, out=np.ones(len(base)), where=known).clip(min=1e-12)
    weight = np.where(known, 1 / error, 0.0)
    between = max(0.0, float((weight * (own - 1) ** 2).sum() - known.sum()) / float(weight.sum()))
    trust = np.where(known, between / (between + error), 0.0)
    return frame.assign(own=own, lift=(1 + trust * (own - 1)).round(9))


def conversion(kpis: pd.DataFrame | None, months: Sequence[str]) -> float | None:
    """Which share of visits became a lead in some months, or None where the company does not measure it (TIM-6).

    `kpis`: month, kpi, value, with the kpis `visits` and `leads`; only months that tell both count.
    """
    if kpis is None:
        return None
    rows = kpis[kpis["month"].isin(months) & kpis["kpi"].isin(["visits", "leads"])]
    both = rows.pivot_table(index="month", columns="kpi", values="value", aggfunc="sum").dropna()
    visits, leads = (float(both[name].sum()) if name in both else 0.0 for name in ("visits", "leads"))
    return leads / visits if 0 < leads < visits else None


def arm_size(base: float, lift: float, error: float, power: float) -> int:
    """How many visitors each arm of a channel test needs to tell a lift from chance (TIM-6).

    Two-sided test of two proportions in the normal approximation: n = (z(1-error/2) + z(power))^2 (p q + p' q') / (p - p')^2
    (Fleiss, Levin and Paik 2003, without continuity correction). `base`: share that buys now; `lift`: relative change.
    """
    other = base * (1 + lift)
    if not 0 < base < 1 or not 0 < other < 1 or lift == 0:
        raise ParameterError(f"test: found a base of {base} and a lift of {lift}, expected shares between 0 and 1 that differ.")
    z = float(norm.ppf(1 - error / 2) + norm.ppf(power))
    return math.ceil(round(z**2 * (base * (1 - base) + other * (1 - other)) / (base - other) ** 2, 6))


def _keys(near: pd.DataFrame) -> list[str]:
    return ["region", "day"] if "region" in near else ["day"]


def _text(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"
