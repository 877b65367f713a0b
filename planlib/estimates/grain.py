"""What orders can tell within a month: days, weeks only, or nothing; read from their dates."""

import pandas as pd

DAY, WEEK, MONTH = "day", "week", "month"
# With fewer months than this, or fewer dates, one date a month or one weekday may be chance.
LEAST_MONTHS, LEAST_DATES = 3, 12


def grain(days: pd.Series) -> str:
    """Whether orders come by day, by week (all dates are one weekday) or by month (each month has one date).

    `days`: dates of orders, doubles allowed. A history too short to tell counts as by day.
    """
    dates = pd.DatetimeIndex(pd.to_datetime(days.drop_duplicates()))
    by_month = pd.Series(1, index=dates).groupby(dates.strftime("%Y-%m")).sum()
    if len(by_month) >= LEAST_MONTHS and by_month.max() == 1:
        return MONTH
    if len(dates) >= LEAST_DATES and dates.day_of_week.nunique() == 1:
        return WEEK
    return DAY
