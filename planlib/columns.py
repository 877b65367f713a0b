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
    # 02 region
    "history": ("Share of last twelve months", "share"),
    "potential": ("Share of potential", "share"),
    "base": ("Base share", "share"),
    "priority": ("Priority", "factor"),
    "maturity": ("Maturity", "factor"),
    "attainment": ("Attainment", "factor"),
    "team": ("Team", "factor"),
    # 03 product
    "first_month": ("First sold", "text"),
    "pace": ("Against the company", "points"),
    "factor": ("Stage factor", "factor"),
    # 04 channel
    "momentum": ("Momentum", "factor"),
    "capacity": ("Capacity a year", "money"),
    # 05 time
    "plan_in_force": ("Plan in force", "money"),
    "share_over": ("Over the plan", "share"),
    "change": ("Effect on sales", "share"),
    # 06 customer
    "orders": ("Orders each so far", "factor"),
    # 07 budget
    "spend_last_year": ("Spend last year", "money"),
    "revenue_last_year": ("Revenue last year", "money"),
    "floor": ("Floor", "money"),
    "cap": ("Cap", "money"),
    "response": ("Revenue it brings", "money"),
    "elasticity": ("Elasticity", "factor"),
    "roi": ("Return last year", "factor"),
    "marginal": ("Return of the next unit", "factor"),
}


def shown_as(name: str, values: pd.Series, formats: Mapping[str, str]) -> dict[str, str]:
    """A column as an item of the report carries it: name, label, format; `formats` overrides COLUMNS."""
    if name.endswith(EFFECT):
        label, form = f"Effect: {name.removesuffix(EFFECT).replace('_', ' ')}", "points"
    else:
        label, form = COLUMNS.get(name, (name.replace("_", " ").capitalize(), ""))
    if not form:
        kind = values.dtype.kind if hasattr(values.dtype, "kind") else "O"
        form = {"i": "int", "u": "int", "f": "factor"}.get(kind, "text")
    return {"name": name, "label": label, "format": formats.get(name, form)}
