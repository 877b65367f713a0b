"""05 time: quarters, months and weeks by seasonality with moving holidays, planned again each quarter (TIM-1 to TIM-6)."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from planlib.chapters.base import Share, SplitParameters
from planlib.chapters.time.holidays import (
    Festival,
    Window,
    arm_size,
    checked_regions,
    conversion,
    day_spans,
    holiday_days,
    holiday_lift,
    holiday_plan,
    holiday_sales,
    named,
    seasons,
    undated,
    windows,
)  # fmt: skip
from planlib.chapters.time.months import a_year_on, beside, by_month, by_product, month_drivers, months_of, on_market, weights
from planlib.chapters.time.pace import alarms, false_alarms, in_days, run_rate
from planlib.chapters.time.peaks import (
    employed,
    exceptions,
    key_accounts,
    peak_calendar,
    peak_months,
    peaks,
    presales,
    promotion_tiers,
    stock_plan,
    stock_steps,
    unit_values,
)  # fmt: skip
from planlib.chapters.time.rolling import Lift, quarters, strong_quarter
from planlib.chapters.time.telling import (
    headline_peak,
    headline_weeks,
    told,
    told_accounts,
    told_alarms,
    told_closed,
    told_drivers,
    told_exceptions,
    told_grain,
    told_moving,
    told_pace,
    told_peak,
    told_regions,
    told_test,
    told_tiers,
    told_undated,
)  # fmt: skip
from planlib.chapters.time.weeks import beside_last_year, by_day, by_week, day_profile, day_weights, quarter_of
from planlib.estimates.festivals import LUNAR, festival_days, solstice
from planlib.estimates.grain import DAY, grain
from planlib.estimates.moving import exposure, moving
from planlib.estimates.season import ahead, announced, seasonality

QUESTION = "When does the year's target come due, month by month, holidays and closed months included?"

Around = Annotated[int, Field(ge=0, le=60)] | None


class Parameters(SplitParameters):
    festivals: Annotated[dict[str, Festival], BeforeValidator(named)] = {}
    days_before: Around = None
    days_after: Around = None
    shrink_months: Annotated[int, Field(ge=0, le=120)] = 24
    holidays: dict[str, Window] = {}
    prior_days: Annotated[int, Field(ge=0, le=365)] = 7
    week_start: Annotated[int, Field(ge=1, le=7)] = 1
    over_line: Annotated[float, Field(ge=0, le=0.5)] = 0.10
    lift: Annotated[float, Field(ge=0.05, le=0.08)] = 0.05
    alert_line: Annotated[float, Field(gt=0, lt=1)] = 0.15
    alert_weeks: Annotated[int, Field(ge=1, le=8)] = 2
    alert_least: Share = 0.5
    peak_line: Annotated[float, Field(ge=1, le=3)] = 1.10
    stock_months: Annotated[int, Field(ge=1, le=6)] = 3
    stock_extra: Share = 0.30
    cover_months: Annotated[float, Field(ge=0, le=12)] = 1.0
    staff_extra: Share = 0.20
    person_month: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    key_accounts: Annotated[int, Field(ge=1, le=500)] = 20
    presale_hours: Annotated[int, Field(ge=0, le=240)] = 48
    held_back: Annotated[float, Field(ge=0.10, le=0.15)] = 0.10
    exception_hours: Annotated[int, Field(ge=1, le=72)] = 24
    ad_cap: Annotated[float, Field(gt=0, le=0.20)] = 0.08
    test_lift: Annotated[float, Field(gt=0, le=1)] = 0.10
    test_error: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    test_power: Annotated[float, Field(gt=0.5, lt=1)] = 0.80


__all__ = [
    "DAY", "LUNAR", "QUESTION", "Festival", "Lift", "Parameters", "Window", "a_year_on", "ahead", "alarms", "announced",
    "arm_size", "beside", "beside_last_year",
    "by_day", "by_month", "by_product", "by_week", "checked_regions",
    "conversion", "day_profile", "day_spans", "day_weights", "employed", "exceptions", "exposure",
    "false_alarms", "festival_days", "grain", "headline_peak", "headline_weeks",
    "holiday_days", "holiday_lift", "holiday_plan", "holiday_sales", "in_days", "key_accounts",
    "month_drivers", "months_of", "moving", "on_market",
    "peak_calendar", "peak_months", "peaks", "presales", "promotion_tiers", "quarter_of",
    "quarters", "run_rate", "seasonality", "seasons", "solstice", "stock_plan", "stock_steps", "strong_quarter", "told",
    "told_accounts", "told_alarms", "told_closed", "told_drivers", "told_exceptions", "told_grain", "told_moving", "told_pace",
    "told_peak", "told_regions", "told_test", "told_tiers", "told_undated", "undated", "unit_values", "weights", "windows",
]  # fmt: skip
