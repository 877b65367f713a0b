"""What a rule on a ratio measures: a column of a company's table as units per unit of money, for `split`."""

from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd

from planlib.data.sources import Tables
from planlib.data.tables import TABLES, Column
from planlib.errors import ParameterError
from planlib.lp import Rule
from planlib.plan import AMOUNT, DIMENSIONS

# Tables that say one thing of each member, without a month or year of their own.
MEASURED = ("regions", "products", "channels", "staff", "inventory")
PEOPLE = "people"  # of staff: those who are there
RATES = ("ratio", "index")


def measured(
    rules: Sequence[Rule], tables: Tables, last_year: Callable[[str], pd.DataFrame], as_of: date, exponent: int
) -> pd.DataFrame | None:
    """What the rules on ratios measure, as `split` takes it; None where no rule limits a ratio.

    A rule names its measure as `table.column`, such as `regions.population`; `staff.people` counts who is employed on `as_of`.
    A rate (a share, a price, an index) is taken as it is, so that the ratio is its mean over the money. A total (people,
    inhabitants, stock) is spread over what the member sold last year: each unit of money carries what it carried then, and
    the ratio is a total per major unit of money. A member with a total and no last year has no measure.

    Parameters: last_year, gives a dimension and amount (minor units) of the year before the plan.
    Returns one row per combination of members: the dimensions measured, and a float column per measure.
    Raises ParameterError for a measure that no table has.
    """
    wanted = sorted({(name, rule.name) for rule in rules if rule.unit == "ratio" for name in (rule.measure, rule.per) if name})
    by_dimension: dict[str, pd.DataFrame] = {}
    for name in dict.fromkeys(name for name, _ in wanted):
        found = _column(name, next(rule for other, rule in wanted if other == name), tables, last_year, as_of, exponent)
        dimension = str(found.columns[0])
        known = by_dimension.get(dimension)
        by_dimension[dimension] = found if known is None else known.merge(found, how="outer", on=dimension)
    frame = None
    for dimension in sorted(by_dimension):
        found = by_dimension[dimension]
        frame = found if frame is None else frame.merge(found, how="cross")
    return frame


def _column(
    name: str, rule: str, tables: Tables, last_year: Callable[[str], pd.DataFrame], as_of: date, exponent: int
) -> pd.DataFrame:
    """One measure: the dimension it speaks of, and its value per unit of money, named as the rule names it."""
    table, _, column = name.partition(".")
    frame = tables.get(table) if table in MEASURED else None
    if frame is None:
        have = [each for each in MEASURED if tables.has(each)]
        raise ParameterError(
            f"rule {rule!r}: found the measure {name!r}, expected table.column of one of the tables {have}; correct it, or "
            "bring the table."
        )
    dimension = next(each for each in DIMENSIONS if each in frame.columns)
    if table == "staff" and column == PEOPLE:
        spec = Column(PEOPLE, "decimal", "people who are employed", "people")
        frame = frame.assign(**{PEOPLE: 1})
    else:
        numbers = [each for each in TABLES[table].columns if each.kind in ("money", "decimal", "share") and each.name in frame]
        found = [each for each in numbers if each.name == column]
        if not found:
            have = [each.name for each in numbers] + [PEOPLE] * (table == "staff")
            raise ParameterError(
                f"rule {rule!r}: the table {table} has no number {column!r}, expected one of {have}; correct it."
            )
        spec = found[0]
    if "hired" in frame:
        today = pd.Timestamp(as_of)
        left = pd.to_datetime(frame["left"]) if "left" in frame else pd.Series(pd.NaT, index=frame.index)
        frame = frame[(pd.to_datetime(frame["hired"]) <= today) & (left.isna() | (left > today))]
    rate = spec.kind == "share" or spec.unit in RATES or " per piece" in spec.unit or " per head" in spec.unit
    major = 10.0**exponent
    if rate:
        if frame[dimension].duplicated().any():
            raise ParameterError(f"rule {rule!r}: {name} has several values per {dimension}, expected one; measure a total.")
        values = frame.set_index(dimension)[column].astype(float) / (major if spec.kind == "money" else 1.0)
        return values.rename(name).reset_index()
    sold = last_year(dimension).set_index(dimension)[AMOUNT].astype(float)
    total = frame.groupby(dimension)[column].sum(min_count=1).astype(float)
    if column == PEOPLE:  # who is in no row has nobody
        total = total.reindex(sorted({*total.index, *sold.index})).fillna(0.0)
    base = sold.reindex(total.index)
    carried = total / base.where(base > 0) * (1.0 if spec.kind == "money" else major)
    return carried.where(total != 0, 0.0).where(total.notna()).rename(name).rename_axis(dimension).reset_index()
