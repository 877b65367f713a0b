"""From months to days to weeks: a day's weight from weekdays and holiday seasons, every level to the minor unit."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import TieOutError
from planlib.periods import MONTHS, Calendar, Horizon
from planlib.plan import AMOUNT

ROUNDS = 60  # of proportional scaling; factors stand still to nine decimals long before
WEEK = 7


def day_profile(
    history: pd.DataFrame,
    near: pd.DataFrame,
    prior_days: int,
    festivals: Collection[str] = (),
    calendar: Calendar = MONTHS,
) -> pd.DataFrame:
    """What a weekday and each week of a holiday season sell, as factors of a plain day (TIM-1).

    `history`: day, amount (minor units), complete months; `near`: from `windows`, over the same days. Each day is explained
    by its month's level times its weekday's factor times the factor of its week of the season (offsets -7 to -1, 0 to 6 and
    so on), by proportional scaling; each factor is shrunk as if `prior_days` plain days had been seen beside it
    (a gamma prior of mean one); of `festivals`, which move months, only as far as the days of a week disagree. Where `near` has
    regions, each has its own months (`history`: region, day, amount) and the factors are those of all. Returns kind (weekday,
    season), name (1 Monday to 7 Sunday; the holiday), week (of the season; 0 for weekdays), days (seen), factor.
    Without two months of history every factor is 1.
    """
    frame = _calendar(sorted(set(calendar.of(history["day"]))), calendar)
    frame = _of_regions(frame, history["region"].unique()) if "region" in near else frame
    keys = ["region", "day"] if "region" in frame else ["day"]
    sums = history.groupby(keys)[AMOUNT].sum()
    at = pd.MultiIndex.from_frame(frame[keys]) if "region" in frame else pd.Index(frame["day"])
    frame[AMOUNT] = sums.reindex(at).fillna(0.0).clip(lower=0).astype(float).to_numpy()
    frame = _phases(frame, near)
    cells = frame["month"] if "region" not in frame else frame["region"] + "|" + frame["month"]
    weekday, phase = frame["weekday"].to_numpy() - 1, pd.Categorical(frame["phase"])
    names = list(phase.categories)
    month = cells.factorize()[0]
    mass = frame.groupby(cells)[AMOUNT].transform("sum").to_numpy() / frame.groupby(cells)[AMOUNT].transform("size").to_numpy()
    amount = frame[AMOUNT].to_numpy()
    used = mass > 0
    by_weekday, by_phase = np.ones(WEEK), np.ones(len(names) + 1)
    place = np.where(phase.codes < 0, len(names), phase.codes)
    move = np.array([str(name).rpartition("|")[0] in festivals for name in [*names, "|"]])
    prior = np.full(len(names) + 1, float(prior_days))
    for _ in range(ROUNDS if len(set(month[used])) >= 2 else 0):
        fitted = by_weekday[weekday] * by_phase[place]
        level = np.bincount(month, amount) / np.bincount(month, fitted)
        relative = np.divide(amount, level[month], out=np.zeros(len(amount)), where=used)
        by_weekday = _ratio(relative, by_phase[place], weekday, WEEK, used, prior_days)
        by_weekday /= by_weekday.mean()
        by_phase[:-1] = _ratio(relative, by_weekday[weekday], place, len(names) + 1, used, prior)[:-1]
        if move.any():
            prior[move] = prior_days * _disagreement(relative, by_weekday[weekday], place, len(names) + 1, used)[move]
    seen = np.bincount(place, used.astype(float), minlength=len(names) + 1).astype("int64")
    rows = [("weekday", str(n + 1), 0, int((used & (weekday == n)).sum()), by_weekday[n]) for n in range(WEEK)]
    for n, name in enumerate(names):
        holiday, _, week = str(name).rpartition("|")
        rows.append(("season", holiday, int(week), int(seen[n]), by_phase[n]))
    result = pd.DataFrame(rows, columns=["kind", "name", "week", "days", "factor"])
    result["factor"] = result["factor"].round(9)
    return result.sort_values(["kind", "name", "week"], ascending=[False, True, True], ignore_index=True)


def day_weights(
    profile: pd.DataFrame,
    near: pd.DataFrame,
    months: Sequence[str],
    regions: Iterable[str] = (),
    calendar: Calendar = MONTHS,
) -> pd.DataFrame:
    """Every day of some months with its weight: day, month, holiday (missing outside seasons), weight (TIM-1).

    Where `near` has regions, of each of `regions`.
    """
    frame = _calendar(list(months), calendar)
    frame = _phases(_of_regions(frame, regions) if "region" in near else frame, near)
    weekday = profile[profile["kind"] == "weekday"].set_index("name")["factor"]
    season = profile[profile["kind"] == "season"]
    factors = pd.Series(season["factor"].to_numpy(), index=season["name"] + "|" + season["week"].astype(str))
    frame["weight"] = frame["weekday"].astype(str).map(weekday) * frame["phase"].map(factors).fillna(1.0)
    return frame[[*(["region"] if "region" in frame else []), "day", "month", "holiday", "weight"]]


def by_day(
    plan: pd.DataFrame, weights: pd.DataFrame, lift: pd.DataFrame | None = None, booked: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Each region's months split over their days, to the minor unit: region, month, day, amount (TIM-1).

    `plan`: region, month, amount; `weights`: from `day_weights`; `lift`: region, lift, how much stronger its holiday days are;
    `booked`: region, month, day, amount of closed months, whose days are what they were.
    Raises TieOutError when the days of a month do not sum to it.
    """
    cells = tables.rollup(plan, ["region", "month"]).rename(columns={AMOUNT: "_total"})
    cells["_cell"] = np.arange(len(cells))
    days = cells.merge(weights, on=["region", "month"] if "region" in weights else "month")
    if lift is not None:
        factor = days["region"].map(lift.set_index("region")["lift"]).fillna(1.0)
        days["weight"] = days["weight"].where(days["holiday"].isna(), days["weight"] * factor)
    keys = days["day"].to_numpy().astype("int64")
    days[AMOUNT] = tables.apportion(cells["_total"].to_numpy(), days["_cell"].to_numpy(), days["weight"].to_numpy(), keys)
    if booked is not None and len(booked):
        days = _as_booked(days, booked)
    result = days[["region", "month", "day", AMOUNT]].sort_values(["region", "day"], ignore_index=True)
    left = result.groupby(["region", "month"])[AMOUNT].sum() - cells.set_index(["region", "month"])["_total"]
    if (left != 0).any():
        first = left[left != 0].index[0]
        raise TieOutError(f"weeks: the days of {first} miss their month by {left[first]}, expected 0; report this plan.")
    return result


def of_company(weights: pd.DataFrame, days: pd.DataFrame | None = None) -> pd.DataFrame:
    """Day weights of all regions together (TIM-1): where regions differ, by what each sold of `days` (region, amount)."""
    if "region" not in weights:
        return weights
    part = weights["region"].map(days.groupby("region")[AMOUNT].sum()).fillna(0.0) if days is not None else 1.0
    frame = weights.assign(_part=part, weight=weights["weight"] * part)
    found = frame.groupby(["day", "month"], as_index=False).agg(holiday=("holiday", "first"), weight=("weight", "sum"))
    return found


def by_week(days: pd.DataFrame, by: Sequence[str] = (), week_start: int = 1, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """Days summed by week: *by, week (`2026-W07`), first_day (text), days (of the week that lie in the table), amount (TIM-1).

    Weeks begin on ISO weekday `week_start` and take the ISO number of their fourth day, so that 1 gives ISO 8601 weeks. Where
    the company's own periods are whole weeks, weeks are theirs, numbered from the first day of its year.
    A week at the end of the table is cut there; a week over two months has both in it, unless `by` names the month.
    """
    if calendar.weekly:
        year = calendar.of(days["day"]).str[:4]
        starts = {each.key[:4]: each.start for each in reversed(calendar.own)}
        opened = year.map({name: pd.Timestamp(start) for name, start in starts.items()})
        number = (days["day"] - opened).dt.days // WEEK
        first, number = opened + pd.to_timedelta(number * WEEK, unit="D"), number + 1
    else:
        first = days["day"] - pd.to_timedelta((days["day"].dt.day_of_week + 1 - week_start) % WEEK, unit="D")
        iso = (first + pd.Timedelta(days=3)).dt.isocalendar()
        year, number = iso["year"].astype(str), iso["week"]
    named = days.assign(week=year + "-W" + number.astype(str).str.zfill(2), first_day=first.dt.strftime("%Y-%m-%d"))
    found = named.groupby([*by, "week", "first_day"], sort=True).agg(days=("day", "nunique"), amount=(AMOUNT, "sum"))
    return found.reset_index().sort_values([*by, "first_day"], ignore_index=True)


def beside_last_year(weeks: pd.DataFrame, daily: pd.DataFrame, horizon: Horizon, week_start: int = 1) -> pd.DataFrame:
    """Whole weeks of the plan beside those of last year under this year's names: week, series, amount (TIM-1).

    `weeks`: from `by_week`; `daily`: day, amount. A week that only one of the years has stands alone; of days nothing is
    expected, so that a year planned before the last one has closed lies beside the weeks sold.
    """
    name = "last year" if horizon.last_year[-1] <= horizon.until else "last year, weeks sold"
    then = daily[horizon.calendar.of(daily["day"]).isin(horizon.last_year)]
    past = by_week(every_day(then, horizon.calendar), week_start=week_start, calendar=horizon.calendar)
    past["week"] = (past["week"].str[:4].astype("int64") + 1).astype(str) + past["week"].str[4:]
    both = pd.concat([past.assign(series=name), weeks.assign(series="plan")], ignore_index=True)
    kept = both[(both["days"] == WEEK) & both["week"].isin(weeks["week"])]
    return kept[["week", "series", AMOUNT]].reset_index(drop=True)


def every_day(daily: pd.DataFrame, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """Every day of the months that have any: day, amount; a day without orders sold nothing (TIM-1)."""
    frame = _calendar(sorted(set(calendar.of(daily["day"]))), calendar) if len(daily) else daily[["day"]]
    sums = daily.groupby("day")[AMOUNT].sum()
    return frame[["day"]].assign(**{AMOUNT: tables.by_key(frame["day"], sums)})


def quarter_of(horizon: Horizon) -> dict[str, str]:
    """The quarter of the plan year each of its months lies in: Q1 to Q4, from the year's first month (TIM-1)."""
    return horizon.quarter_of


def _calendar(months: list[str], calendar: Calendar) -> pd.DataFrame:
    frame = calendar.days(months)
    return frame.assign(weekday=frame["day"].dt.day_of_week + 1)


def _of_regions(frame: pd.DataFrame, regions: Iterable[str]) -> pd.DataFrame:
    """A calendar for each region, where seasons differ between them."""
    return pd.DataFrame({"region": sorted(regions)}).merge(frame, how="cross")


def _phases(frame: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    keys = ["region", "day"] if "region" in near else ["day"]
    placed = near.set_index(keys)[["holiday", "offset"]] if len(near) else None
    if placed is None:
        return frame.assign(holiday=None, phase=None)
    found = frame.join(placed, on=keys)
    week = (found["offset"] // WEEK).astype("Int64").astype(str)
    return found.assign(phase=(found["holiday"] + "|" + week).where(found["holiday"].notna(), None))


def _ratio(
    seen: np.ndarray, expected: np.ndarray, place: np.ndarray, size: int, used: np.ndarray, prior: float | np.ndarray
) -> np.ndarray:
    top = np.bincount(place, np.where(used, seen, 0.0), minlength=size) + prior
    bottom = np.bincount(place, np.where(used, expected, 0.0), minlength=size) + prior
    return np.divide(top, bottom, out=np.ones(size), where=bottom > 0)


def _disagreement(seen: np.ndarray, expected: np.ndarray, place: np.ndarray, size: int, used: np.ndarray) -> np.ndarray:
    """How much the days of each phase differ from each other against how far they lie from a plain day, 0-1 (variances)."""
    ratio = np.divide(seen, expected, out=np.ones(len(seen)), where=used & (expected > 0))
    count = np.maximum(1, np.bincount(place, used, minlength=size))
    mean = np.bincount(place, np.where(used, ratio, 0.0), minlength=size) / count
    spread = np.bincount(place, np.where(used, (ratio - mean[place]) ** 2, 0.0), minlength=size) / count
    far = (mean - 1.0) ** 2
    return np.asarray(np.divide(spread, spread + far, out=np.ones(size), where=spread + far > 0))


def _as_booked(days: pd.DataFrame, booked: pd.DataFrame) -> pd.DataFrame:
    """Closed months' days as they were, where they sum to the plan's month (they do unless a lock says otherwise)."""
    sums = booked.groupby(["region", "month"])[AMOUNT].sum()
    closed = days["month"].isin(booked["month"].unique())
    at = pd.MultiIndex.from_frame(days[["region", "month"]])
    same = closed & (sums.reindex(at, fill_value=0).to_numpy() == days["_total"].to_numpy())
    cells = booked.groupby(["region", "day"])[AMOUNT].sum()
    actual = cells.reindex(pd.MultiIndex.from_frame(days[["region", "day"]]), fill_value=0).to_numpy()
    return days.assign(**{AMOUNT: days[AMOUNT].where(~same, actual).astype("int64")})
