"""How a reader sees the columns of tables: name -> (label, format); anything else is shown as what its type says.

One section per chapter, so that who adds a table finds the place. A name means the same in every chapter.
"""

from collections.abc import Mapping

import pandas as pd

EFFECT = "_effect"  # a driver's effect on the share stands beside its value, in points

COLUMNS = {
    # every chapter
    "amount": ("Amount", "money"),
    "allocated": ("Plan", "money"),
    "naive": ("Naive split", "money"),
    "last_year": ("Last year", "money"),
    "last_twelve": ("Last twelve months", "money"),
    "booked": ("Closed months", "money"),
    "difference": ("Difference", "money"),
    "growth": ("Growth", "share"),
    "share": ("Share", "share"),
    "weight": ("Weight", "share"),
    "plan_share": ("Share of the plan", "share"),
    "last_year_share": ("Share of last year", "share"),
    "distance_from_drivers": ("Distance from the drivers", "money"),
    "moved": ("Money that lies elsewhere", "money"),
    "rules_broken": ("Rules broken", "int"),
    "profit": ("Profit", "money"),
    # 01 strategy
    "probability": ("Chance without new action", "share"),
    "smart": ("SMART", "text"),
    "industry_growth": ("Industry growth", "share"),
    "company_growth": ("Our growth", "share"),
    "price_position": ("Prices against ours", "text"),
    "uncovered": ("Market it does not reach", "share"),
    "swot": ("SWOT, sum", "factor"),
    "spend": ("Spend", "money"),
    "revenue": ("Revenue", "money"),
    "acquisition_cost": ("Cost of a new customer", "money"),
    "customers_won": ("Customers won", "int"),
    "growth_brought": ("Share of our growth", "share"),
    "fit": ("Fit: margin over ours", "factor"),
    "largest_amount": ("Its amount", "money"),
    "not_assigned": ("Not assigned", "money"),
    "gain": ("Gain at its target", "money"),
    "cumulative": ("Together", "share"),
    "per_unit": ("One unit is worth", "money"),
    "expected": ("Expected by then", "money"),
    # 02 region
    "trend": ("Expected share", "share"),
    "potential": ("Share of potential", "share"),
    "reach": ("Share of reachable customers", "share"),
    "competition": ("Competition", "factor"),
    "priority": ("Priority", "factor"),
    "maturity": ("Maturity", "factor"),
    "attainment": ("Attainment", "factor"),
    "team": ("Team", "factor"),
    "rival_share": ("Rivals' share", "share"),
    "rival_coverage": ("Rivals' coverage", "share"),
    "rival_price": ("Rivals' price to ours", "factor"),
    "pressure": ("Pressure of rivals", "share"),
    "active": ("Active customers", "int"),
    "dormant": ("Dormant customers", "int"),
    "penetration": ("Customers per million people", "factor"),
    "newcomers": ("Newcomers", "share"),
    "span": ("People a leader leads", "factor"),
    "plan_per_head": ("Plan per head", "money"),
    "capacity_per_head": ("Capacity per head", "money"),
    "load": ("Plan over capacity", "share"),
    "short": ("People short", "int"),
    "mean_attainment": ("Attainment of three years", "share"),
    "likely": ("At its usual attainment", "money"),
    "shortfall": ("It would miss", "money"),
    "ask": ("What to ask", "text"),
    "month_attained": ("Attained", "share"),
    "released": ("Incentive released", "share"),
    "planned": ("Planned", "money"),
    "base": ("Base", "share"),
    "incentive": ("Incentive", "share"),
    "risk_reserve": ("Risk reserve", "share"),
    "at_todays_size": ("Pattern at today's size", "text"),
    # 03 product
    "first_month": ("First sold", "text"),
    "pace": ("Against the company", "points"),
    "on_sale": ("On sale", "factor"),
    "relative_share": ("Share over the largest rival's", "factor"),
    "market_share": ("Market share", "share"),
    "margin": ("Net margin", "share"),
    "basis": ("Compared in", "text"),
    "last_month": ("Last month on sale", "text"),
    "growth_asked": ("Growth asked", "share"),
    "marketing_asked": ("Marketing asked", "share"),
    "share_asked": ("Share asked", "text"),
    # 04 channel
    "momentum": ("Momentum", "factor"),
    "capacity": ("Capacity a year", "money"),
    # 05 time
    "plan_in_force": ("Plan in force", "money"),
    "share_over": ("Over the plan", "points"),
    "change": ("Effect on sales", "share"),
    "season": ("Share by season", "share"),
    "festivals": ("Festivals", "factor"),
    "closed_months": ("Share with closed months", "share"),
    "strong_quarter": ("Share after a strong quarter", "share"),
    "expected_sales": ("Expected", "money"),
    "actual": ("Actual", "money"),
    "over": ("Over the plan", "points"),
    "state": ("Alert", "text"),
    "sales": ("Planned sales", "money"),
    "ad_cap": ("Advertising at most", "money"),
    "held_back": ("Of it held back", "money"),
    "against_mean": ("Against a mean month", "factor"),
    "stock_plain": ("Plain stock", "money"),
    "stock": ("Stock at the end", "money"),
    "pieces": ("Pieces", "int"),
    "staff": ("Temporary staff", "int"),
    "staff_cost": ("Temporary staff, cost", "money"),
    "in_peaks": ("In peak months", "money"),
    "to_sign": ("To sign", "money"),
    "planned_share": ("Share as planned", "share"),
    "closed_share": ("Share as it closed", "share"),
    "carries": ("Factor on the next quarter", "factor"),
    # 06 customer
    "orders": ("Orders each so far", "factor"),
    "frequency": ("Orders each", "factor"),
    "basket": ("An order's value", "money"),
    "recent": ("Last twelve months", "money"),
    "earlier": ("Twelve months before", "money"),
    "alive": ("Still with us", "share"),
    "purchases": ("Purchases in a year", "factor"),
    "clv": ("Lifetime value each", "money"),
    "clv_low": ("At least", "money"),
    "clv_high": ("At most", "money"),
    "together": ("Orders with both", "int"),
    "lift": ("Lift", "factor"),
    "last": ("Last order", "date"),
    "silent_months": ("Months silent", "factor"),
    "acquisition_spend": ("Spend", "money"),
    "new_customers": ("Customers won", "int"),
    "cost_each": ("Cost of one", "money"),
    "cost_limit": ("It may cost", "money"),
    "seen": ("Rate seen", "share"),
    "reached": ("Likely", "money"),
    "bound_by": ("Stops at", "text"),
    "limit_price": ("Price of one more", "factor"),
    "won_so_far": ("Won so far", "int"),
    "new_revenue": ("Revenue of new", "money"),
    "key_share": ("Key industries", "share"),
    # 07 budget
    "per_head": ("Sales per head", "money"),
    "spend_last_year": ("Spend last year", "money"),
    "return_": ("Return last year", "text"),
    "expected_return": ("Return", "text"),
    "cost_per_customer": ("Per new customer", "money"),
    "next_unit": ("Next unit brings", "text"),
    "asked": ("Asked for", "money"),
    "base_money": ("Base", "money"),
    "incentive_money": ("Incentive", "money"),
    "risk_money": ("Risk reserve", "money"),
    "pool_money": ("Pool", "money"),
    "spent": ("Of it spent", "money"),
    "variance": ("Off the plan in force", "points"),
    "with_sales": ("Of it with sales", "money"),
    "by_rate": ("Of it by rate", "money"),
    "report_by": ("Root-cause report by", "text"),
    "sales_per_head": ("Sales per head", "money"),
    "used": ("Hours used", "share"),
    "idle": ("Idle", "share"),
    "stock_value": ("Stock", "money"),
    "days": ("Days", "factor"),
    "response": ("Revenue it brings", "money"),
}


def _label(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def shown_as(name: str, values: pd.Series, formats: Mapping[str, str]) -> dict[str, str]:
    """A column as an item of the report carries it: name, label, format; `formats` overrides COLUMNS."""
    if name.endswith(EFFECT):
        label, form = f"Effect: {name.removesuffix(EFFECT).replace('_', ' ')}", "points"
    else:
        label, form = COLUMNS.get(name, (_label(name), ""))
    if not form:
        kind = values.dtype.kind if hasattr(values.dtype, "kind") else "O"
        form = {"i": "int", "u": "int", "f": "factor"}.get(kind, "text")
    return {"name": name, "label": label, "format": formats.get(name, form)}
