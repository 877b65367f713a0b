"""The plan table: one row per cell, dimension columns in chain order, `amount` in minor units.

Units, said once for the whole package
    money      int64, minor units of the run's currency (fen, cents); never float
    shares     float, 0 to 1
    months     text `YYYY-MM`, or of a company's own periods, see `periods`
    members    text (codes stay text: `007`, `NA`)

A plan table holds nothing that can be derived. Its level is the set of dimension columns it carries; a table without
any (one row) is the company. Ratios are computed from summed parts (`ratio`), never summed or averaged.
"""

import hashlib
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pandas as pd

from planlib.errors import ParameterError, PlanError, TieOutError

# pandas takes these up by itself where they are installed and sums floats in another order with them: the same everywhere.
pd.set_option("compute.use_bottleneck", False)
pd.set_option("compute.use_numexpr", False)

DIMENSIONS = ("region", "product", "channel", "month", "segment")
AMOUNT = "amount"
LARGEST = 2**63 - 1  # minor units that int64 holds: 92,233,720,368,547,758.07 with two decimals
EXACT = 2**53  # whole numbers up to here are exact in a float; beyond, amounts are reckoned in integers alone
EVERYTHING = "all"  # the one channel, or customer, of orders that name none


SMALLER = (
    "set `decimals: 0` in the params file to plan in whole units of the currency, or export the amounts in thousands "
    "and say so in `company`"
)


def level(plan: pd.DataFrame) -> list[str]:
    """The dimension columns of a plan table, in chain order; other columns but `amount` are an error."""
    dims = [name for name in DIMENSIONS if name in plan.columns]
    strangers = [str(name) for name in plan.columns if name not in dims and name != AMOUNT]
    if strangers or AMOUNT not in plan.columns:
        raise PlanError(
            f"plan table: found columns {list(map(str, plan.columns))}, expected dimensions out of {list(DIMENSIONS)} and "
            f"'{AMOUNT}'; drop or rename {strangers or 'nothing, but add the amount'}."
        )
    return dims


def canonical(plan: pd.DataFrame) -> pd.DataFrame:
    """The same table with columns in chain order, rows sorted by key and a fresh index; refuses missing or doubled keys."""
    dims = level(plan)
    if plan[AMOUNT].dtype != np.int64:
        raise PlanError(
            f"plan table: amounts are {plan[AMOUNT].dtype}, expected int64 minor units; round them with `largest_remainder`."
        )
    if dims and plan[dims].isna().to_numpy().any():
        raise PlanError(f"plan table: a key among {dims} is missing, expected text in each; missing is not a member.")
    if plan.duplicated(dims).any() if dims else len(plan) != 1:
        twice = plan.loc[plan.duplicated(dims, keep=False), dims].head(3).to_dict("records") if dims else len(plan)
        raise PlanError(f"plan table: cells occur twice: {twice}, expected one row per cell; sum them with `rollup`.")
    ordered = plan[[*dims, AMOUNT]]
    return (ordered.sort_values(dims) if dims else ordered).reset_index(drop=True)


def rollup(table: pd.DataFrame, by: Sequence[str], measures: Sequence[str] = (AMOUNT,)) -> pd.DataFrame:
    """Sum `measures` over everything but the dimensions `by`, sorted by key. Integer sums only, so the order cannot matter."""
    by = [name for name in DIMENSIONS if name in by]
    if not by:
        return pd.DataFrame({name: [table[name].sum()] for name in measures})
    return table.groupby(by, sort=True, observed=True)[list(measures)].sum().reset_index()


def company(amount: int) -> pd.DataFrame:
    """The plan table of level zero: one row, the year's amount in minor units."""
    return pd.DataFrame({AMOUNT: np.array([amount], dtype=np.int64)})


def residuals(parent: pd.DataFrame, child: pd.DataFrame) -> pd.DataFrame:
    """Parent cells whose children do not sum to them.

    Returns the parent's dimension columns with `parent`, `children` and `residual` (minor units), only rows with a residual
    other than 0; a parent without children and a child without a parent both show. Empty means: ties out.
    """
    dims = level(parent)
    above = rollup(parent, dims).rename(columns={AMOUNT: "parent"})
    below = rollup(child, dims).rename(columns={AMOUNT: "children"})
    above, below = above.astype({"parent": "Int64"}), below.astype({"children": "Int64"})  # a gap makes no float of them
    both = above.merge(below, on=dims, how="outer", validate="one_to_one") if dims else pd.concat([above, below], axis=1)
    both[["parent", "children"]] = both[["parent", "children"]].fillna(0).astype("int64")
    both["residual"] = both["parent"] - both["children"]
    return both[both["residual"] != 0].reset_index(drop=True)


def check_tie_out(parent: pd.DataFrame, child: pd.DataFrame) -> None:
    """Raise TieOutError with the first cells that do not sum, if any."""
    left = residuals(parent, child)
    if len(left):
        raise TieOutError(
            f"tie-out: {len(left)} cells of level {level(parent) or 'company'} differ from the sum of their children, "
            f"expected 0 minor units; first: {left.head(3).to_dict('records')}."
        )


def largest_remainder(total: int, weights: Sequence[float] | pd.Series, keys: Sequence | None = None) -> np.ndarray:
    """Integers that sum to `total`, in proportion to `weights` (Hamilton's method), the same in any row order.

    Ties between equal remainders go to the larger weight, then to the smaller key (`keys`, default the weights' index when
    they are a Series). Zero weight gets zero. Weights that are all zero share equally. The method has the known Alabama
    paradox: a larger total can lower one member by one unit. Negative totals are split as the mirror of the positive one.
    """
    if keys is None:
        keys = list(weights.index) if isinstance(weights, pd.Series) else list(range(len(weights)))
    values = np.asarray(weights)
    return apportion(
        np.array([total], dtype=np.int64), np.zeros(len(values), dtype=np.int64), values, np.asarray(keys, dtype=object)
    )


def apportion(totals: np.ndarray, group: np.ndarray, weights: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """`largest_remainder` for many parents at once.

    Parameters: totals, int64 minor units, one per parent; group, the parent's position for each child; weights, one per
    child, not negative; keys, one sortable key per child. Returns int64 amounts, one per child.
    Raises PlanError for weights that are missing, infinite or negative, and for a parent with an amount but no child.
    """
    weights = np.asarray(weights)
    check_weights(weights, keys)
    childless = np.flatnonzero((totals != 0) & (np.bincount(group, minlength=len(totals)) == 0))
    if len(childless):
        raise PlanError(f"split: {len(childless)} parents have an amount but no child, expected at least one member each.")
    if not len(weights):
        return np.zeros(0, dtype=np.int64)

    order = np.lexsort((keys, group)) if keys.dtype != object else _order(group, keys)
    parent = group[order]
    starts = np.flatnonzero(np.r_[True, parent[1:] != parent[:-1]])
    sizes = np.diff(np.r_[starts, len(parent)])
    exact = _integer_weights(weights[order], starts, sizes)
    sums = np.add.reduceat(exact, starts)
    # A parent whose weights are all zero has no shape to follow: equal split (callers say so in the report).
    flat = np.repeat(sums == 0, sizes)
    exact[flat] = 1
    sums = np.add.reduceat(exact, starts)

    total = totals[parent[starts]].astype(object)
    if max(int(np.abs(total).max()) * int(exact.max()), int(sums.max())) < 2**62:
        # Small enough for machine integers: the same numbers, many times as fast.
        exact, sums, total = exact.astype(np.int64), sums.astype(np.int64), total.astype(np.int64)
    sign = np.where(total < 0, -1, 1).astype(total.dtype)
    product = np.repeat(np.abs(total), sizes) * exact
    divisor = np.repeat(sums, sizes)
    floors, remainders = product // divisor, product % divisor
    missing = np.abs(total) - np.add.reduceat(floors, starts)

    # Position of each child within its parent when sorted by remainder, then weight, then key.
    rank = np.lexsort((np.arange(len(parent)), _descending(exact), _descending(remainders), parent))
    position = np.empty(len(parent), dtype=np.int64)
    position[rank] = np.arange(len(parent)) - np.repeat(starts, sizes)
    amounts = floors + (position < np.repeat(missing.astype(np.int64), sizes)).astype(total.dtype)

    result = np.empty(len(parent), dtype=np.int64)
    result[order] = (amounts * np.repeat(sign, sizes)).astype(np.int64)
    return result


def check_weights(weights: np.ndarray, keys: np.ndarray) -> None:
    """Raise PlanError for weights that are missing, infinite or negative."""
    if not np.isfinite(weights.astype(float)).all():
        raise PlanError("weights: a weight is missing or infinite, expected a number; missing is not 0, fill it on purpose.")
    if (weights < 0).any():
        raise PlanError(_negative_weights(weights, keys))


def proportional(plan: pd.DataFrame, weights: pd.DataFrame, into: str | Sequence[str]) -> pd.DataFrame:
    """Split each cell of `plan` over the members of `into` in proportion to `weights`; ties out by construction.

    `weights` has `into` (one dimension or several), `weight` and any of the plan's dimensions; a dimension it lacks means 'the
    same for every member'. Returns a canonical plan table deeper by `into`. Cells with an amount but no weight are an error.
    """
    dims, new = level(plan), [into] if isinstance(into, str) else list(into)
    shared = [name for name in dims if name in weights.columns]
    if set(new) - set(DIMENSIONS) or set(new) & set(dims):
        raise PlanError(f"split: cannot split into {into!r}; the plan has {dims}, expected a dimension it has not got yet.")
    if weights.duplicated([*shared, *new]).any():
        raise PlanError(f"weights: {[*shared, *new]} occur twice, expected one weight per member; sum them first.")
    parents = canonical(plan)
    parents["_parent"] = np.arange(len(parents))
    cells = parents.drop(columns=AMOUNT).merge(
        weights[[*shared, *new, "weight"]], how="inner" if shared else "cross", on=shared or None
    )
    owed = parents.loc[~parents["_parent"].isin(cells["_parent"]) & (parents[AMOUNT] != 0), [*dims, AMOUNT]]
    if len(owed):
        raise PlanError(
            f"weights: {len(owed)} cells with an amount have no member of {into!r}, expected at least one each; "
            f"first: {owed.head(3).to_dict('records')}."
        )
    keys = cells[new[0]].to_numpy() if len(new) == 1 else cells.groupby(new).ngroup().to_numpy()
    cells[AMOUNT] = apportion(parents[AMOUNT].to_numpy(), cells["_parent"].to_numpy(), cells["weight"].to_numpy(), keys)
    return canonical(cells[[*dims, *new, AMOUNT]])


def history_weights(plan: pd.DataFrame, history: pd.DataFrame, into: str) -> pd.DataFrame:
    """Weights from past amounts: for each cell of `plan`, its own history over `into`; without any, that of all cells together.

    `history` is a plan table at the child level or deeper. Negative cells (net returns) count as 0.
    Returns the plan's dimensions, `into`, `weight` (int64).
    """
    dims = level(plan)
    cells = rollup(history, [*dims, into])
    cells["weight"] = cells.pop(AMOUNT).clip(lower=0)
    if not dims:
        return cells
    everywhere = rollup(history, [into]).rename(columns={AMOUNT: "weight"})
    everywhere["weight"] = everywhere["weight"].clip(lower=0)
    known = cells[cells["weight"] > 0][dims].drop_duplicates()
    wanted = plan[dims].merge(known, how="left", on=dims, indicator=True)
    new = wanted.loc[wanted.pop("_merge") == "left_only", dims]
    return pd.concat([cells.merge(known, on=dims), new.merge(everywhere, how="cross")], ignore_index=True)


def by_last_year(plan: pd.DataFrame, history: pd.DataFrame, into: str) -> pd.DataFrame:
    """Naive split: last year's shares of `into` within each parent; a parent without history takes the total's shares."""
    return proportional(plan, history_weights(plan, history, into), into)


def equally(plan: pd.DataFrame, members: Sequence[str], into: str) -> pd.DataFrame:
    """Naive split: every member of `into` the same amount."""
    return proportional(plan, pd.DataFrame({into: sorted(members), "weight": 1}), into)


def amounts_at(keys: pd.DataFrame, table: pd.DataFrame, column: str = AMOUNT) -> pd.Series:
    """The whole amount (int64) of each row of `keys` in a table with one row per key, 0 where it has none; index as `keys`.

    A merge or a map that finds gaps would make floats of whole amounts, and lose their last digits beyond 2^53.
    """
    names = list(keys.columns)
    found = keys.merge(table[[*names, column]].astype({column: "Int64"}), how="left", on=names, validate="many_to_one")[column]
    return pd.Series(found.fillna(0).to_numpy(dtype=np.int64), index=keys.index, name=column)


def by_key(keys: pd.Series, amounts: pd.Series) -> pd.Series:
    """The same for one key, out of a series of whole amounts by it."""
    found = amounts.reindex(keys.to_numpy(), fill_value=0)
    return pd.Series(found.to_numpy(dtype=np.int64), index=keys.index, name=amounts.name)


def sums_of(group: np.ndarray, amounts: np.ndarray, count: int) -> np.ndarray:
    """Whole sums (int64) by group number; `np.bincount` would sum floats."""
    found = np.zeros(count, dtype=np.int64)
    np.add.at(found, group, amounts.astype(np.int64))
    return found


def times(amount: float, factor: float, more: float = 0.0) -> int:
    """An amount times `factor + more`, in whole minor units.

    Up to 2^43 the float product, off by less than a thousandth of a unit and rounded half to even; beyond, where a float
    comes to lack the last digit, the exact product of the numbers as they are written, rounded half up. Raises ParameterError
    beyond what int64 holds.
    """
    product = amount * (factor + more)
    if abs(product) <= 2**43 and abs(amount) <= 2**43:
        return round(product)
    with localcontext(prec=60):
        exact = _written(amount) * (_written(factor) + _written(more))
        return within(int(exact.to_integral_value(ROUND_HALF_UP)), f"{amount:,} minor units times {factor + more:g}")


def _written(number: float) -> Decimal:
    """A number as it is written: 0.1 is a tenth."""
    return Decimal(int(number)) if isinstance(number, int | np.integer) else Decimal(repr(float(number)))


def within(amount: int, what: str) -> int:
    """The amount, where int64 holds it; else ParameterError that names the limit and the ways out."""
    if abs(amount) > LARGEST:
        raise ParameterError(
            f"{what}: found {amount:,} minor units, expected at most {LARGEST:,} minor units, the largest amount that a plan "
            f"holds (int64); {SMALLER}."
        )
    return amount


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Numerator over denominator row by row, for attainment, growth and shares; missing where the base is not above 0."""
    return numerator.astype(float).div(denominator.astype(float).where(denominator > 0))


def digest(table: pd.DataFrame) -> str:
    """sha256 over the sorted rows of a table of integers and text: the one thing replay compares.

    Independent of row order, index, file format and machine. Floats are refused, they would not be.
    """
    columns = sorted(map(str, table.columns))
    fields = []
    for name in columns:
        column = table[name]
        if pd.api.types.is_integer_dtype(column.dtype):
            fields.append(list(map(str, column.astype("int64").tolist())))
        elif pd.api.types.is_string_dtype(column.dtype) and not column.isna().any():
            fields.append(column.to_numpy(dtype=object).tolist())
        else:
            raise PlanError(f"digest: column {name!r} is {column.dtype}, expected integers or text without gaps.")
    rows = ["\x1f".join(row) for row in zip(*fields, strict=True)] if fields else []
    if any("\x1e" in row or row.count("\x1f") != len(columns) - 1 for row in rows):
        raise PlanError("digest: a text holds a control character, expected plain members; clean the input.")
    body = "\x1e".join(["\x1f".join(columns), *sorted(rows)])
    return hashlib.sha256(body.encode()).hexdigest()


def _integer_weights(weights: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Weights as Python integers: exact for integers, 52 bits below a parent's largest for floats; the same in any order."""
    if np.issubdtype(weights.dtype, np.integer):
        return weights.astype(object)
    largest = np.repeat(np.maximum.reduceat(weights.astype(float), starts), sizes)
    scaled = np.rint(np.divide(weights, largest, out=np.zeros(len(weights)), where=largest > 0) * 2.0**52)
    return scaled.astype(np.int64).astype(object)


def _order(group: np.ndarray, keys: np.ndarray) -> np.ndarray:
    codes, _ = pd.factorize(keys, sort=True)
    return np.lexsort((codes, group))


def _descending(values: np.ndarray) -> np.ndarray:
    """Ranks that sort integers downwards, Python's large ones without overflowing int64."""
    if values.dtype != object:
        return -values
    codes, _ = pd.factorize(values, sort=True)
    return -codes


def _negative_weights(weights: np.ndarray, keys: np.ndarray) -> str:
    first = [f"{key}: {weight}" for key, weight in zip(keys, weights, strict=True) if weight < 0][:3]
    cancel = " and all of them sum to 0" if float(weights.astype(float).sum()) == 0 else ""
    return (
        f"weights: found negative weights ({', '.join(first)}){cancel}, expected 0 or more; a share of a negative base is "
        "not defined: clip returns to 0 or choose another base."
    )
