"""Money of an input: text to exact decimals to int64 minor units, and what to do with decimals a currency does not have.

Decimals stay decimals until they are whole minor units; no amount passes through a float.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# text kind -> digits and decimals kept; further decimals of a cell are binary noise of the program that wrote it
_DIGITS = {"money": (28, 9), "price": (18, 6), "decimal": (18, 6)}


def exact(values: pa.Array, kind: str) -> pa.Array:
    """Checked text of a kind (`money`, `price`, `decimal`) as decimals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    precision, scale = _DIGITS[kind]
    cut = pc.replace_substring_regex(values, rf"(\.[0-9]{{{scale}}})[0-9]+$", r"\1")
    return cut.cast(pa.decimal128(precision, scale))


def product(quantity: pa.Array, price: pa.Array) -> pa.Array:
    """quantity x price, all decimals kept."""
    import pyarrow.compute as pc

    return pc.multiply(quantity, price)


def minor_units(amounts: pa.Array, exponent: int, orders: pa.Table | None = None) -> tuple[pa.Array, int, Decimal]:
    """Amounts as int64 minor units of a currency with `exponent` decimals.

    An amount with more decimals cannot be kept as it is: it rounds half up. Amounts of `orders` (their other columns, row
    by row) round half up the running total of such amounts within their calendar year, region, product and channel, so
    that each of these sums is its exact sum rounded half up. Line by line the halves would pile up: one product of the
    Contoso orders would miss its year's control total by a cent.
    Returns the minor units, how many amounts had more decimals, and what rounding added in all (in currency).
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    down = pc.round(amounts, ndigits=exponent, round_mode="down")
    narrow = down.cast(pa.decimal128(28, exponent))
    minor = pc.multiply(narrow, pa.scalar(Decimal(10**exponent), pa.decimal128(5, 0))).cast(pa.int64())
    rows = pc.indices_nonzero(pc.not_equal(down, amounts)).to_pylist()
    if not rows:
        return minor, 0, Decimal(0)
    rests = dict(zip(rows, pc.subtract(amounts, down).take(pa.array(rows)).to_pylist(), strict=True))
    whole = dict(zip(rows, amounts.take(pa.array(rows)).to_pylist(), strict=True))
    rounded = minor.to_numpy(zero_copy_only=False).copy()
    running: dict[object, Decimal] = {}
    half = Decimal("0.5")
    effect = Decimal(0)
    groups: dict[int, object] = {row: row for row in rows}
    order: dict[int, object] = groups
    if orders is not None:
        lines = dict(zip(rows, orders.take(pa.array(rows)).to_pylist(), strict=True))
        groups = {row: (line["date"].year, line["region"], line["product"], line["channel"]) for row, line in lines.items()}
        order = {row: (line["date"], line["order_id"], line["customer"], line["quantity"]) for row, line in lines.items()}
    for row in sorted(rows, key=lambda row: (order[row], whole[row])):
        before = running.get(groups[row], Decimal(0))
        after = before + rests[row].scaleb(exponent)
        running[groups[row]] = after
        step = int((after + half).to_integral_value(ROUND_FLOOR) - (before + half).to_integral_value(ROUND_FLOOR))
        rounded[row] += step
        effect += Decimal(step).scaleb(-exponent) - rests[row]
    return pa.array(rounded.astype(np.int64)), len(rows), effect.normalize()
