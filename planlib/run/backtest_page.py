"""A back-test for a reader: a table for the terminal, and one page that needs nothing beside it."""

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd

from planlib.currency import Currency
from planlib.formatting import Reader

SHARES = ("ours", "last_year", "two_years", "three_years", "equal", "reconciled", "bias", "off")
MONEY = ("actual", "expected", "low", "high")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ccc}"
    "th:nth-child(2),td:nth-child(2){text-align:left}"
)
TITLES = {
    "levels": "Where the money went: weighted absolute error over actual; bias: large cells too high (+) or low (-)",
    "sizes": "Error by size of cell, thirds of sales",
    "total": "The total with no new action, against what came",
}


def readable(frame: pd.DataFrame, reader: Reader) -> pd.DataFrame:
    """A table as text: shares in per cent, money in the currency, unknown ones blank; columns that are all blank left out."""

    def cell(name: str, value: Any) -> str:
        if isinstance(value, float) and value != value:
            return ""
        if name in MONEY or (name == "last_year" and "actual" in frame):
            return reader.show(value, "money")
        if name in SHARES:
            return f"{value:.1%}"
        return ("yes" if value else "no") if name == "inside" else str(value).replace("_", " ")

    shown = pd.DataFrame({name: [cell(str(name), value) for value in frame[name]] for name in frame.columns}, dtype="str")
    return shown[[name for name in shown if shown[name].ne("").any()]].rename(columns=lambda name: str(name).replace("_", " "))


def text(facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """What a terminal shows: the three tables and what there is to say."""
    reader, lines = Reader("en", Currency(facts["currency"], facts.get("decimals"))), []
    for name, title in TITLES.items():
        lines += [title, readable(tables[name], reader).to_string(index=False), ""]
    return "\n".join([*lines, *facts["told"]])


def page(facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """One HTML page, no script and no address in it; whatever comes from data is escaped."""
    reader = Reader("en", Currency(facts["currency"], facts.get("decimals")))
    years = ", ".join(str(year) for year in facts["years"])
    title = html.escape(f"{facts['company']}: the plan of {years}, from what was known before")
    parts = [f"<h1>{title}</h1>"]
    for name, heading in TITLES.items():
        shown = readable(tables[name], reader).to_html(index=False, escape=True, border=0)
        parts.append(f"<h2>{html.escape(heading)}</h2>{shown}")
    parts.append("<h2>To be said</h2><ul>" + "".join(f"<li>{html.escape(each)}</li>" for each in facts["told"]) + "</ul>")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'
