"""Time to fit BG/NBD and Gamma-Gamma to CDNOW: ours against `lifetimes`, both in this process, in turns.

The clock starts with the customers' frequencies, recencies and ages in memory and stops with the fitted parameters; ours counts
equal rows, and gives the parameters' covariance, within its time. `lifetimes` is asked for no more than its fit.
"""

import statistics
import time
import warnings
from collections.abc import Callable

import pandas as pd

from planlib.estimates import lifetime
from tests.estimates.cdnow import customers


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(rounds: int = 15) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it sets an option that pandas 3 has retired
        from lifetimes import BetaGeoFitter, GammaGammaFitter

        table = customers()
        again = table[table["x"] > 0]
        report(
            "BG/NBD",
            rounds,
            lambda: lifetime.purchases(table),
            lambda: BetaGeoFitter().fit(table["x"], table["t_x"], table["T"]),
            table,
        )
        report(
            "Gamma-Gamma",
            rounds,
            lambda: lifetime.spend(table),
            lambda: GammaGammaFitter().fit(again["x"], again["m"]),
            again,
        )


def report(name: str, rounds: int, ours: Callable, theirs: Callable, table: pd.DataFrame) -> None:
    """Median of the pairs' ratios, after one round to warm both up, and how far apart the answers are."""
    mine, peer = ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    letters = ["r", "alpha", "a", "b"] if hasattr(mine, "alpha") else ["p", "q", "v"]
    apart = max(abs(getattr(mine, letter) / peer.params_[letter] - 1) for letter in letters)
    own, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"{name}, {len(table):,} customers: planlib {own * 1000:.1f} ms, lifetimes {other * 1000:.1f} ms, "
        f"median ratio {ratio:.2f} of {rounds} pairs; parameters at most {apart:.0e} apart"
    )


if __name__ == "__main__":
    main()
