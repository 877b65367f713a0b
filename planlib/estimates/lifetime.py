"""What a customer is still worth: BG/NBD for how often, Gamma-Gamma for how much, by maximum likelihood (CUS-3).

Sources: Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2); Fader & Hardie (2013),
"The Gamma-Gamma model of monetary value". Letters are the papers': x repeat purchases, t_x age at the last one, T age now, in
one unit of time; m mean value of the repeat purchases.

Own lines rather than the package `lifetimes`: it is no longer maintained, warns on pandas 3 and brings autograd and dill. Two
likelihoods with their gradients are forty lines and, with equal rows counted once, fit several times as fast (`make bench`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln, hyp2f1, psi

from planlib.errors import PlanError

Array = NDArray[np.float64]
# Under this many customers who came back the data cannot tell four parameters apart.
LEAST = 50
# Largest slope of the mean log-likelihood, in logs of the parameters, at which a fit counts as arrived.
ARRIVED = 1e-4
# A parameter this far from 1 in logs (a factor of about 1,100) after scaling is not told by the data.
FAR = 7.0


@dataclass(frozen=True)
class Purchases:
    """A fitted BG/NBD: r, alpha (rates), a, b (drop-out), log-likelihood, covariance of the logs, customers and repeaters."""

    r: float
    alpha: float
    a: float
    b: float
    loglik: float
    covariance: Array
    customers: int
    repeaters: int

    def expected(self, t: float) -> float:
        """E[X(t)]: purchases of a new customer in the time t after its first."""
        return float(_expected(self, np.array([t]), np.zeros(1), np.zeros(1), np.zeros(1))[0])

    def alive(self, x: Array, t_x: Array, age: Array) -> Array:
        """P(alive | x, t_x, T): 1 for who never came back, as the model has it that drop-out follows a repeat purchase."""
        x, t_x, age = _arrays(x, t_x, age)
        odds = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        odds = odds + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + t_x))
        return np.where(x > 0, expit(-odds), 1.0)

    def conditional(self, t: float, x: Array, t_x: Array, age: Array) -> Array:
        """E[Y(t) | x, t_x, T]: purchases in the next t of customers with that past."""
        x, t_x, age = _arrays(x, t_x, age)
        return _expected(self, np.full(len(x), float(t)), x, t_x, age)


@dataclass(frozen=True)
class Spend:
    """A fitted Gamma-Gamma: p, q, v, log-likelihood, covariance of the logs, customers.

    `correlation`, Pearson's r of value and frequency, should be near 0: the model takes them for independent.
    """

    p: float
    q: float
    v: float
    loglik: float
    covariance: Array
    customers: int
    correlation: float

    def mean(self, x: Array, m: Array) -> Array:
        """E[M | x, m]: a customer's mean value, shrunk toward all customers' the more, the less it bought."""
        x, m = _arrays(x, m)
        return self.p * (self.v + x * m) / (self.p * x + self.q - 1)


def purchases(summary: pd.DataFrame) -> Purchases:
    """Fit BG/NBD (CUS-3) to customers' x, t_x, T.

    summary: x (whole, 0 or more), t_x and T (0 <= t_x <= T, in one unit; T > 0); `count` customers with the same row, or 1.
    Raises PlanError for rows that are none, fewer than 50 repeaters, or a likelihood without a peak.
    """
    rows = _counted(summary, ["x", "t_x", "T"])
    x, t_x, age, count = (rows[name].to_numpy(dtype=float) for name in ("x", "t_x", "T", "count"))
    if not ((x >= 0) & (t_x >= 0) & (t_x <= age) & (age > 0) & ((x > 0) == (t_x > 0))).all():
        raise PlanError("lifetime: a customer's times do not fit, expected 0 <= t_x <= T, T > 0, and t_x = 0 for x = 0 only.")
    back, total = int(count[x > 0].sum()), count.sum()
    if back < LEAST:
        many = "customer" if back == 1 else "customers"
        raise PlanError(f"lifetime: {back:,} {many} bought again, expected {LEAST} or more; value groups by their revenue.")
    unit = float((count * age).sum() / total)
    t_x, age = t_x / unit, age / unit
    # Special functions depend on x alone, which takes few values.
    steps, place = np.unique(x, return_inverse=True)
    again, at = x > 0, np.bincount(place, count)
    here = steps > 0

    def slope(logs: Array) -> tuple[float, Array]:
        r, alpha, a, b = np.exp(logs)
        older, seen = np.log(alpha + age), np.log(alpha + t_x)
        # Log-odds of having dropped out right after the last purchase; log-sum-exp keeps both terms apart from overflow.
        gone = np.where(again, np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * (older - seen), -np.inf)
        out = expit(gone)
        tail = -(r + x) * older + np.logaddexp(0.0, gone)
        head = gammaln(r + steps) - gammaln(r) + r * np.log(alpha)
        head += gammaln(a + b) + gammaln(b + steps) - gammaln(b) - gammaln(a + b + steps)
        value = (at * head).sum() + (count * tail).sum()
        gone_at = np.bincount(place, count * out)
        both = psi(a + b) - psi(a + b + steps)
        slopes = [
            (at * (psi(r + steps) - psi(r) + np.log(alpha))).sum() - (count * ((1 - out) * older + out * seen)).sum(),
            (count * (r / alpha - (r + x) * ((1 - out) / (alpha + age) + out / (alpha + t_x)))).sum(),
            (at * both).sum() + gone_at.sum() / a,
            (at * (both + psi(b + steps) - psi(b))).sum() - (gone_at[here] / (b + steps[here] - 1)).sum(),
        ]
        return -value / total, -np.array(slopes) * np.exp(logs) / total

    logs, value, covariance = _peak(slope, np.zeros(4), total, "BG/NBD", ["r", "alpha", "a", "b"])
    r, alpha, a, b = np.exp(logs)
    # The density of x purchases at given times is per unit of time to the power x.
    loglik = float(-value * total - (count * x).sum() * np.log(unit))
    return Purchases(float(r), float(alpha) * unit, float(a), float(b), loglik, covariance, int(total), back)


def spend(summary: pd.DataFrame) -> Spend:
    """Fit Gamma-Gamma (CUS-3) to the repeaters' x and m.

    summary: x, m (mean value of a repeat purchase, any unit of money), `count`; rows with x = 0 or m <= 0 are left aside.
    Raises PlanError for fewer than 50 repeaters or a likelihood without a peak.
    """
    rows = _counted(summary[(summary["x"] > 0) & (summary["m"] > 0)], ["x", "m"])
    x, m, count = (rows[name].to_numpy(dtype=float) for name in ("x", "m", "count"))
    total = count.sum()
    if total < LEAST:
        raise PlanError(f"lifetime: {int(total)} repeat values, expected {LEAST} or more; value groups by their revenue.")
    unit = float((count * m).sum() / total)
    m = m / unit
    steps, place = np.unique(x, return_inverse=True)
    at = np.bincount(place, count)

    def slope(logs: Array) -> tuple[float, Array]:
        # Where the peak lies at infinity the search runs beyond what numbers hold; `_peak` refuses where it ends.
        with np.errstate(invalid="ignore", over="ignore"):
            return climb(logs)

    def climb(logs: Array) -> tuple[float, Array]:
        p, q, v = np.exp(logs)
        sums = np.log(x * m + v)
        head = gammaln(p * steps + q) - gammaln(p * steps) - gammaln(q) + q * np.log(v)
        value = (at * head).sum() + (count * ((p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * sums)).sum()
        with_q = psi(p * steps + q)
        slopes = [
            (at * steps * (with_q - psi(p * steps))).sum() + (count * x * (np.log(m) + np.log(x) - sums)).sum(),
            (at * (with_q - psi(q) + np.log(v))).sum() - (count * sums).sum(),
            (count * (q / v - (p * x + q) / (x * m + v))).sum(),
        ]
        return -value / total, -np.array(slopes) * np.exp(logs) / total

    logs, value, covariance = _peak(slope, np.zeros(3), total, "Gamma-Gamma", ["p", "q", "v"])
    p, q, v = np.exp(logs)
    loglik = float(-value * total - total * np.log(unit))
    if q <= 1:
        raise PlanError(f"lifetime: Gamma-Gamma's q is {q:.2f}, expected above 1; the mean value has no limit, use revenue.")
    return Spend(float(p), float(q), float(v) * unit, loglik, covariance, int(total), _correlation(x, m, count))


def value(
    model: Purchases, worth: Spend, summary: pd.DataFrame, months: int, discount: float, month: float
) -> NDArray[np.float64]:
    """Discounted value of what each customer will still buy within `months` (CUS-3).

    summary: x, t_x, T, m; discount, per month, paid at its end; month, its length in the unit of T. Returns the unit of m.
    """
    x, t_x, age, m = (summary[name].to_numpy(dtype=float) for name in ("x", "t_x", "T", "m"))
    bought = np.column_stack([model.conditional(step * month, x, t_x, age) for step in range(months + 1)])
    factors = (1 + discount) ** -np.arange(1, months + 1)
    return np.asarray(np.diff(bought, axis=1) @ factors * worth.mean(x, m))


def spread(model: Purchases, worth: Spend, measure: Callable[[Purchases, Spend], Array]) -> Array:
    """Standard error of the log of any measure of both models, from the uncertainty of their parameters (delta method)."""
    middle = np.log(measure(model, worth))
    variance = np.zeros_like(middle)
    for fitted, names in ((model, ("r", "alpha", "a", "b")), (worth, ("p", "q", "v"))):
        step = 1e-4
        slopes = []
        for name in names:
            moved = _with(fitted, name, getattr(fitted, name) * np.exp(step))
            pair = (moved, worth) if fitted is model else (model, moved)
            slopes.append((np.log(measure(*pair)) - middle) / step)
        jacobian = np.array(slopes)
        variance += np.einsum("i...,ij,j...->...", jacobian, fitted.covariance, jacobian)
    return np.sqrt(variance)


def _with(fitted: Purchases | Spend, name: str, number: float) -> Purchases | Spend:
    return type(fitted)(**{**fitted.__dict__, name: float(number)})


def _expected(model: Purchases, t: Array, x: Array, t_x: Array, age: Array) -> Array:
    """E[Y(t)] in Euler's form of 2F1, whose terms stay bounded however large x is; x = 0, T = 0 gives E[X(t)]."""
    r, alpha, b = model.r, model.alpha, model.b
    a = model.a if abs(model.a - 1) > 1e-6 else 1 + 1e-6  # the formula has a gap at 1 that its limits close
    left = (alpha + age) / (alpha + age + t)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, 1 - left)
    bought = (a + b + x - 1) / (a - 1) * (1 - left ** (a - 1) * series)
    return np.asarray(bought * model.alive(x, t_x, age))


def _peak(
    slope: Callable[[Array], tuple[float, Array]], start: Array, total: float, name: str, letters: list[str]
) -> tuple[Array, float, Array]:
    """The parameters' logs at the peak, the value there and the logs' covariance; PlanError where there is none."""
    found = minimize(slope, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500})
    logs = np.asarray(found.x)
    steep = float(np.abs(slope(logs)[1]).max())
    step = 1e-4
    columns = [(slope(logs + step * unit)[1] - slope(logs - step * unit)[1]) / (2 * step) for unit in np.eye(len(logs))]
    curvature = np.array(columns)
    curvature = (curvature + curvature.T) / 2
    far = [letter for letter, log in zip(letters, logs, strict=True) if abs(log) > FAR]
    if not np.isfinite(found.fun) or steep > ARRIVED or far or np.linalg.eigvalsh(curvature).min() <= 0:
        why = f"{', '.join(far)} run away" if far else f"slope {steep:.1g} left after {found.nit} steps"
        raise PlanError(
            f"lifetime: {name} has no peak ({why}), expected one; the data cannot tell it, value groups by revenue."
        )
    return logs, float(found.fun), np.asarray(np.linalg.inv(curvature) / total, dtype=np.float64)


def _counted(summary: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Equal rows once, with how many customers they stand for; sorted, so that row order cannot matter."""
    if summary[columns].isna().any(axis=None):
        raise PlanError(f"lifetime: a value among {columns} is missing, expected numbers; missing is not 0.")
    frame = summary[columns].assign(count=summary.get("count", 1))
    return frame.groupby(columns, sort=True)["count"].sum().reset_index()


def _correlation(x: Array, m: Array, count: Array) -> float:
    """Pearson's r of frequency and value, which Gamma-Gamma takes for independent."""
    spread = np.cov(x, m, aweights=count, ddof=0)
    return float(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])) if spread[0, 0] > 0 and spread[1, 1] > 0 else 0.0


def _arrays(*values: Array) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=float) for value in values)
