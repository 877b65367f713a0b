"""Charts of a plan: one theme, one function per form, and the only door to Altair.

Every function takes a small tidy frame with money in minor units and gives an Altair chart whose axis is scaled to
something a person reads ("million CNY"). `title` is the message of the chart, not its description. Blue is good,
vermilion is bad, grey are totals; a sign, a label or a dash says the same again, so that colour is never the only signal.
Every chart takes the width of the page it stands on, holds at most 2,000 rows, and is the same JSON each time.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import altair as alt
import numpy as np
import pandas as pd

from planlib import theme
from planlib.currency import minor_exponent
from planlib.errors import PlanError
from planlib.theme import BAD, DASHES, FAINT, GOOD, INK, SERIES, TOTAL

MIME = "application/vnd.vegalite.v5+json"
MAX_ROWS = 2_000
ROW = 30  # pixels per bar
# The short name of a month `YYYY-MM`, with its year where the axis or the year starts.
MONTH = (
    "datum.index == 0 || slice(datum.label, 5) == '01' "
    "? [monthAbbrevFormat(toNumber(slice(datum.label, 5)) - 1), slice(datum.label, 0, 4)] "
    ": monthAbbrevFormat(toNumber(slice(datum.label, 5)) - 1)"
)
# A week `YYYY-Www` is named by its number, the first also by its year.
WEEK = "datum.index == 0 ? [slice(datum.label, 5), slice(datum.label, 0, 4)] : slice(datum.label, 5)"
ORDER = ("allocated", "last_year", "naive")

Chart: TypeAlias = alt.Chart | alt.LayerChart


def bridge(steps: pd.DataFrame, currency: str, title: str | None = None) -> Chart:
    """How one total becomes another: a waterfall, read from top to bottom.

    Parameters: steps, `label` (unique), `amount` (minor units), `kind` (total, up or down; a `down` may be written with
    either sign). Raises PlanError for an unknown kind, a label that occurs twice, or a total that the steps do not reach.
    """
    _need(steps, "bridge", ["label", "amount", "kind"], unique="label", known="amount")
    divisor, unit = _scale(steps["amount"], currency)
    measure = unit
    running = 0
    rows: list[tuple[str, float, float, float, str, str]] = []
    for step in steps.itertuples(index=False):
        label, kind, amount = str(step.label), str(step.kind), int(step.amount)
        if kind not in ("total", "up", "down") or (kind == "up" and amount < 0):
            raise PlanError(
                f"bridge: step {label!r} is {kind!r} of {amount}, expected total, down, or up of 0 or more; set it."
            )
        if kind == "total":
            if rows and amount != running:
                raise PlanError(
                    f"bridge: the steps reach {running} before {label!r}, expected its amount {amount}; add the missing step."
                )
            start, running = 0, amount
        else:
            start, running = running, running + (amount if kind == "up" else -abs(amount))
        change = running - start
        text = _written(change / divisor, "{:+,.1f}") if kind != "total" else _written(amount / divisor, "{:,.1f}")
        rows.append((label, start / divisor, running / divisor, max(start, running) / divisor, kind, text))
    frame = pd.DataFrame(rows, columns=["label", "start", "end", "edge", "kind", "text"])
    labels = list(frame["label"])
    frame["next"] = [*labels[1:], labels[-1]]
    levels = frame.loc[frame["kind"] != "total", ["start", "end"]].to_numpy().ravel()
    top, low = float(frame["edge"].max()), float(min(0.0, frame[["start", "end"]].min().min()))
    if len(levels) and low == 0 and levels.min() > 0.8 * top:
        # Steps that are slivers beside the totals are what the chart is about: cut the axis, and say so.
        reach = max(float(top - levels.min()), top * 1e-6)
        step = 10.0 ** np.floor(np.log10(reach))
        low = float(max(0.0, np.floor((levels.min() - reach) / step) * step))
        frame["start"] = frame["start"].clip(lower=low)
        unit = f"{unit}, axis starts at {low:,.10g}"
    y = alt.Y("label:N", sort=labels, title=None, axis=_members())
    x = alt.X("start:Q", title=unit, scale=_roomy(low, top), axis=_amounts())
    base = alt.Chart(frame).encode(y=y)
    connectors = base.mark_rule(color=FAINT).encode(x=alt.X("end:Q", title=unit), y2="next:N")
    bars = base.mark_bar(size=20).encode(
        x=x,
        x2="end:Q",
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["total", "up", "down"], range=[TOTAL, GOOD, BAD])),
        tooltip=_tips({"label:N": "step", "text:N": measure}),
    )
    texts = base.mark_text(align="left", dx=5, color=INK).encode(x=alt.X("edge:Q", title=unit), text="text:N")
    return _framed(connectors + bars + texts, title, height=(ROW + 4) * len(frame))


def bullets(compare: pd.DataFrame, currency: str, title: str | None = None) -> Chart:
    """What each member gets (bar) beside its last year (dark tick) and the naive split (light tick), with its growth.

    Parameters: compare, `member` (unique), `allocated`, and `naive` and `last_year` where known (minor units, gaps allowed).
    """
    _need(compare, "bullets", ["member", "allocated"], unique="member")
    known = [name for name in ORDER if name in compare.columns]
    divisor, unit = _scale(compare[known], currency)
    frame = pd.DataFrame({"member": compare["member"].astype(str)})
    for name in ORDER:
        frame[name] = _scaled(compare[name], divisor) if name in known else np.nan
    growth = frame["allocated"] / frame["last_year"].where(frame["last_year"] > 0) - 1
    frame["growth"] = ["" if pd.isna(value) else f"{value:+.1%}" for value in growth]
    frame["edge"] = frame[list(ORDER)].max(axis=1)
    high, low = float(frame["edge"].max()), float(min(0.0, frame[list(ORDER)].min().min()))
    names = ["plan", "last year", "naive split"]
    drawn = [(name, hue) for name, hue, column in zip(names, (GOOD, INK, FAINT), ORDER, strict=True) if column in known]
    colour = alt.Scale(domain=[name for name, _ in drawn], range=[hue for _, hue in drawn])
    told = {f"{column}:Q": f"{name}, {unit}" for column, name in zip(ORDER, names, strict=True) if column in known}
    y = alt.Y("member:N", sort=list(frame["member"]), title=None, axis=_members())
    base = alt.Chart(frame).encode(y=y, tooltip=_tips({"member:N": "member", **told, "growth:N": "against last year"}))
    x = alt.X("allocated:Q", title=unit, axis=_amounts(), scale=_roomy(low, high))
    mark = alt.Color("mark:N", scale=colour, title=None, legend=_legend(3, symbolType="square", symbolOpacity=1))

    def named(name: str) -> alt.Chart:
        return base.transform_calculate(mark=f"'{name}'").encode(color=mark)

    def tick(column: str, name: str) -> alt.Chart:
        return named(name).mark_tick(thickness=3, size=24).encode(x=alt.X(f"{column}:Q", title=unit))

    layers = alt.layer(named("plan").mark_bar(size=14).encode(x=x))
    if "naive" in known:
        layers = layers + tick("naive", "naive split")
    if "last_year" in known:
        text = base.mark_text(align="left", dx=6, color=INK).encode(x=alt.X("edge:Q", title=unit), text="growth:N")
        layers = layers + tick("last_year", "last year") + text
    return _framed(layers, title, height=ROW * len(frame))


def intervals(frame: pd.DataFrame, currency: str, title: str | None = None) -> Chart:
    """What each member is planned to come to (tick) and between what it is likely to lie (bar).

    Parameters: frame, `member` (unique), `amount`, `low`, `high` (minor units), in the order in which they are drawn.
    """
    _need(frame, "intervals", ["member", "amount", "low", "high"], unique="member")
    divisor, unit = _scale(frame[["amount", "low", "high"]], currency)
    drawn = pd.DataFrame({"member": frame["member"].astype(str)})
    for name in ("amount", "low", "high"):
        drawn[name] = _scaled(frame[name], divisor)
    y = alt.Y("member:N", sort=list(drawn["member"]), title=None, axis=_members())
    told = {"member:N": "member", "amount:Q": f"plan, {unit}", "low:Q": f"low, {unit}", "high:Q": f"high, {unit}"}
    base = alt.Chart(drawn).encode(y=y, tooltip=_tips(told))
    x = alt.X("low:Q", title=unit, axis=_amounts(), scale=_roomy(0.0, float(drawn[["amount", "high"]].max().max())))
    bars = base.mark_bar(size=10, color=FAINT).encode(x=x, x2="high:Q")
    ticks = base.mark_tick(thickness=3, size=20, color=GOOD).encode(x=alt.X("amount:Q", title=unit))
    return _framed(bars + ticks, title, height=ROW * len(drawn))


def lines(frame: pd.DataFrame, currency: str, title: str | None = None) -> Chart:
    """Amounts by month or week, one line per series; a click in the legend keeps one series.

    Parameters: frame, `month` (`YYYY-MM`) or `week` (`YYYY-Www`), `series`, `amount` (minor units). Series keep the order they
    first come in.
    """
    along = "week" if "week" in frame.columns and "month" not in frame.columns else "month"
    _need(frame, "lines", [along, "series", "amount"])
    divisor, unit = _scale(frame["amount"], currency)
    data = pd.DataFrame({along: frame[along].astype(str), "series": frame["series"].astype(str)})
    data["amount"] = _scaled(frame["amount"], divisor)
    order = list(dict.fromkeys(data["series"]))
    pick = alt.selection_point(name="series_pick", fields=["series"], bind="legend")
    named = MONTH if along == "month" else WEEK
    axis = alt.Axis(labelAngle=0, labelOverlap="greedy", grid=False, labelExpr=named)
    chart = (
        alt.Chart(data)
        .mark_line(point=alt.OverlayMarkDef(size=36, filled=True), strokeWidth=2.2)
        .encode(
            x=alt.X(f"{along}:O", title=None, axis=axis),
            y=alt.Y("amount:Q", title=unit, axis=_amounts()),
            color=_colours("series:N", order),
            strokeDash=_dashes("series:N", order),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.15)),
            tooltip=_tips({f"{along}:O": along, "series:N": "series", "amount:Q": unit}),
        )
        .add_params(pick)
    )
    return _framed(chart, title, height=280)


def heat(
    frame: pd.DataFrame, currency: str, format: str = "money", title: str | None = None, legend: str | None = None
) -> Chart:
    """A table of colours: rows by columns; the numbers stand in the cells where there is room.

    Parameters: frame, `row`, `column`, `amount` (minor units, or shares 0-1 with `format="share"`). Order as given.
    `legend`: what the colours say, where the unit alone does not.
    """
    _need(frame, "heat", ["row", "column", "amount"])
    if format not in ("money", "share"):
        raise PlanError(f"heat: format is {format!r}, expected 'money' or 'share'; choose one.")
    divisor, unit = _scale(frame["amount"], currency) if format == "money" else (1.0, "share")
    number = ",.1f" if format == "money" else ".0%"
    data = pd.DataFrame({"row": frame["row"].astype(str), "column": frame["column"].astype(str)})
    data["amount"] = _scaled(frame["amount"], divisor)
    columns, rows = list(dict.fromkeys(data["column"])), list(dict.fromkeys(data["row"]))
    known = data["amount"].dropna()
    low, reach = float(known.min() if len(known) else 0.0), float(known.abs().max() if len(known) else 0.0) or 1.0
    scheme = (
        alt.Scale(domain=[-reach, 0, reach], range=[BAD, "#FFFFFF", GOOD])
        if low < 0
        else alt.Scale(domain=[0, reach], range=["#F3F7FA", GOOD])
    )
    quiet: dict[str, Any] = {"ticks": False, "domain": False, "grid": False}
    if all(re.fullmatch(r"\d{4}-\d{2}", name) for name in columns):
        x_axis = alt.Axis(labelAngle=0, labelExpr=MONTH, labelOverlap="greedy", **quiet)
    else:
        wide = max(map(len, columns), default=0) * 7 * len(columns) > 520
        x_axis = alt.Axis(orient="top", labelAngle=-45 if wide else 0, labelLimit=140, **quiet)
    tip = _tips({"row:N": "row", "column:N": "column", "amount:Q": unit}, number)
    base = alt.Chart(data).encode(
        x=alt.X("column:N", sort=columns, title=None, axis=x_axis),
        y=alt.Y("row:N", sort=rows, title=None, axis=_members()),
        tooltip=tip,
    )
    key = alt.Legend(orient="bottom", format=number, gradientLength=160)
    cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
        color=alt.Color("amount:Q", title=legend or unit, scale=scheme, legend=key)
    )
    room = alt.ExprRef(f"width / {max(1, len(columns))} < 36 ? 0 : 1")
    # From here on white reads better on the fill than ink does (contrast by WCAG 2).
    dark = alt.expr.abs(alt.datum.amount) > 0.85 * reach
    texts = base.mark_text(fontSize=11, opacity=room).encode(
        text=alt.Text("amount:Q", format=number), color=alt.condition(dark, alt.value("white"), alt.value(INK))
    )
    return _framed(cells + texts, title, height=26 * len(rows))


def curves(frame: pd.DataFrame, points: pd.DataFrame, currency: str, title: str | None = None) -> Chart:
    """Response to spend, one curve per item, and the chosen point on each; a click in the legend keeps one item.

    Parameters: frame and points, `item`, `spend`, `response` (both in minor units).
    """
    _need(frame, "curves", ["item", "spend", "response"])
    _need(points, "curves", ["item", "spend", "response"])
    order = list(dict.fromkeys(frame["item"].astype(str)))
    across, spend_unit = _scale(pd.concat([frame["spend"], points["spend"]]), currency)
    up, response_unit = _scale(pd.concat([frame["response"], points["response"]]), currency)

    def scaled(table: pd.DataFrame) -> pd.DataFrame:
        data = pd.DataFrame({"item": table["item"].astype(str)})
        return data.assign(spend=_scaled(table["spend"], across), response=_scaled(table["response"], up))

    pick = alt.selection_point(name="item_pick", fields=["item"], bind="legend")
    x = alt.X("spend:Q", title=f"spend, {spend_unit}", axis=_amounts())
    y = alt.Y("response:Q", title=f"response, {response_unit}", axis=_amounts())
    colour, dash = _colours("item:N", order), _dashes("item:N", order)
    shown = alt.condition(pick, alt.value(1.0), alt.value(0.12))
    tip = _tips({"item:N": "item", "spend:Q": f"spend, {spend_unit}", "response:Q": f"response, {response_unit}"})
    line = alt.Chart(scaled(frame)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour, opacity=shown, strokeDash=dash)
    point = (
        alt.Chart(scaled(points))
        .mark_point(filled=True, size=90, stroke="white", strokeWidth=1.5)
        .encode(x=x, y=y, color=colour, opacity=shown, tooltip=tip)
    )
    return _framed(line.add_params(pick) + point, title, height=320)


def ranked(frame: pd.DataFrame, format: str, currency: str | None = None, title: str | None = None) -> Chart:
    """Bars from the largest value to the smallest, each with its number; below zero they turn vermilion.

    Parameters: frame, `member` (unique), `value`; format, money (minor units, needs `currency`), share, points, int or factor.
    """
    _need(frame, "ranked", ["member", "value"], unique="member")
    if format == "money" and currency is None:
        raise PlanError("ranked: money without a currency, expected its ISO 4217 code; pass `currency`.")
    patterns = {"money": "{:,.1f}", "share": "{:.1%}", "points": "{:+.1%}", "int": "{:,.0f}", "factor": "{:.2f}"}
    if format not in patterns:
        raise PlanError(f"ranked: format is {format!r}, expected one of {sorted(patterns)}; choose one.")
    divisor, unit = _scale(frame["value"], str(currency)) if format == "money" else (1.0, None)
    data = pd.DataFrame({"member": frame["member"].astype(str), "value": _scaled(frame["value"], divisor)})
    exact = frame["value"].to_numpy(dtype=float, na_value=np.nan) / divisor
    data["text"] = ["–" if np.isnan(value) else _written(float(value), patterns[format]) for value in exact]
    data = data.sort_values(["value", "member"], ascending=[False, True]).reset_index(drop=True)
    data["edge"] = data["value"].clip(lower=0)
    data["sign"] = np.where(data["value"] < 0, "below zero", "zero or more")
    low, high = float(min(0.0, data["value"].min())), float(max(0.0, data["value"].max()))
    scale = _roomy(low, high)
    tick = {"money": "~s", "share": ".0%", "points": "+.0%", "int": ",~f", "factor": ".2f"}[format]
    axis = _amounts() if format == "money" else alt.Axis(format=tick, tickCount=5, domain=False)
    base = alt.Chart(data).encode(y=alt.Y("member:N", sort=list(data["member"]), title=None, axis=_members()))
    bars = base.mark_bar(size=16).encode(
        x=alt.X("value:Q", title=unit, axis=axis, scale=scale),
        color=alt.Color("sign:N", legend=None, scale=alt.Scale(domain=["zero or more", "below zero"], range=[GOOD, BAD])),
        tooltip=_tips({"member:N": "member", "text:N": unit or "value"}),
    )
    texts = base.mark_text(align="left", dx=5, color=INK).encode(x=alt.X("edge:Q", title=unit), text="text:N")
    return _framed(bars + texts, title, height=(ROW - 4) * len(data))


def effects(steps: pd.DataFrame, title: str | None = None) -> Chart:
    """What moved each member's share: one row per member, one piece per step, gains to the right, losses to the left.

    Parameters: steps, `member`, `step`, `effect` (points of share, unique per member and step); members and steps in the order
    in which they first come. The number is the sum of a member's steps; the diamond stands where it lies.
    """
    _need(steps, "effects", ["member", "step", "effect"], known="effect")
    data = pd.DataFrame({"member": steps["member"].astype(str), "step": steps["step"].astype(str)})
    data["effect"] = steps["effect"].astype(float).round(6).to_numpy()
    members, order = list(dict.fromkeys(data["member"])), list(dict.fromkeys(data["step"]))
    sums = data.groupby("member", sort=False)["effect"].sum().round(6).reset_index()
    sums["text"] = [f"{value:+.1%}" for value in sums["effect"]]
    gains = data["effect"].clip(lower=0).groupby(data["member"]).sum()
    losses = data["effect"].clip(upper=0).groupby(data["member"]).sum()
    sums["edge"] = sums["member"].map(gains)
    y = alt.Y("member:N", sort=members, title=None, axis=_members())
    axis = alt.Axis(format="+.1%", tickCount=5, domain=False)
    x = alt.X("effect:Q", title="points of share", axis=axis, scale=_roomy(float(losses.min()), float(gains.max())), stack=True)
    # A ninth step, where there is one, is told apart by the palest grey.
    hues = alt.Scale(domain=order, range=[(*SERIES, FAINT)[place % (len(SERIES) + 1)] for place in range(len(order))])
    bars = (
        alt.Chart(data)
        .mark_bar(size=16, stroke="white", strokeWidth=0.5)
        .encode(
            x=x,
            y=y,
            color=alt.Color("step:N", title=None, scale=hues, sort=order, legend=_legend(len(order), symbolType="square")),
            tooltip=_tips({"member:N": "member", "step:N": "step", "effect:Q": "points of share"}, "+.2%"),
        )
    )
    total = alt.Chart(sums).encode(y=y)
    marks = total.mark_point(shape="diamond", filled=True, size=70, color=INK, stroke="white", opacity=1).encode(
        x=alt.X("effect:Q")
    )
    texts = total.mark_text(align="left", dx=8, color=INK).encode(x=alt.X("edge:Q"), text="text:N")
    return _framed(bars + marks + texts, title, height=(ROW - 4) * len(members))


def spec(chart: Any) -> dict[str, Any]:
    """The chart as Vega-Lite JSON: our theme, no generated names, at most 2,000 rows in a data set (PlanError above that)."""
    with alt.theme.enable("planlib"), alt.data_transformers.enable("default", max_rows=None):
        found = chart.to_dict()
    for rows in found.get("datasets", {}).values():
        if len(rows) > MAX_ROWS:
            raise PlanError(f"chart: {len(rows)} rows, expected at most {MAX_ROWS}; aggregate before drawing.")
    return found


def named(found: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """A chart's specification with months called as the company calls its own periods. `labels`: month -> label."""
    text = json.dumps(found).replace(json.dumps(MONTH), json.dumps(f"({json.dumps(dict(labels))})[datum.label] || datum.label"))
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def enable() -> None:
    """Show charts in notebooks with our theme, offline, in a form that JupyterLab and papermill both draw."""
    alt.theme.enable("planlib")
    alt.data_transformers.enable("default", max_rows=MAX_ROWS)
    alt.renderers.enable("planlib")


def _need(frame: pd.DataFrame, form: str, columns: Sequence[str], unique: str | None = None, known: str | None = None) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing or frame.empty:
        found = list(map(str, frame.columns)) if missing else "no rows"
        raise PlanError(f"{form}: found {found}, expected columns {list(columns)} and at least one row; give it those.")
    if len(frame) > MAX_ROWS:
        raise PlanError(f"{form}: {len(frame)} rows, expected at most {MAX_ROWS}; aggregate before drawing.")
    if unique and frame[unique].astype(str).duplicated().any():
        twice = sorted(set(frame.loc[frame[unique].astype(str).duplicated(), unique].astype(str)))
        raise PlanError(f"{form}: {unique} {twice[:3]} occur twice, expected one row each; sum them first.")
    if known and frame[known].isna().any():
        raise PlanError(
            f"{form}: {int(frame[known].isna().sum())} of {known} missing, expected a number in each row; drop them."
        )


def _written(value: float, pattern: str) -> str:
    """A number at a bar; what is not nothing is never written as nothing."""
    text = pattern.format(value)
    if any(digit in text for digit in "123456789"):
        return text
    if abs(value) < 1e-12:  # what is left of a float's zero after adding and taking away
        return text.replace("-", "")
    least = re.sub(r"0(?=%?$)", "1", re.sub(r"[-+]", "", text))
    return f"<{least}" if value > 0 else f">-{least}"


def _scale(amounts: pd.Series | pd.DataFrame, currency: str) -> tuple[float, str]:
    """Minor units in one unit of the axis, and the name of that unit."""
    largest = float(np.nanmax(np.abs(amounts.to_numpy(dtype=float, na_value=np.nan)), initial=0.0))
    minor = 10 ** minor_exponent(currency)
    found = (1, "")
    for size, word in ((10**3, "thousand "), (10**6, "million "), (10**9, "billion ")):
        # Ten billions before 'billion', so that a plan of a few billions still reads in millions like its parts. The unit goes
        # by what is written: 999,999.99 is no 1,000.0 thousand.
        if round(largest / minor / found[0], 1) * found[0] < size * (10 if size == 10**9 else 1):
            break
        found = (size, word)
    return float(found[0] * minor), f"{found[1]}{currency}"


def _scaled(amounts: pd.Series, divisor: float) -> pd.Series:
    """Axis values to six decimals: enough for any screen, and no float noise in the JSON."""
    return pd.Series(np.round(amounts.to_numpy(dtype=float, na_value=np.nan) / divisor, 6), index=amounts.index)


def _framed(chart: Chart, title: str | None, height: int) -> Chart:
    # A height in pixels, not `Step`: Vega-Lite warns in the console about steps in a chart that fits its container.
    sized = chart.properties(width="container", height=height)
    return sized.properties(title=title) if title else sized


def _roomy(low: float, high: float) -> alt.Scale:
    """From low to high, and 60 pixels beyond for the number at the end of a bar, however narrow the page."""
    reach = (high - low) or 1.0
    return alt.Scale(domainMin=low, domainMax=alt.ExprRef(f"{low!r} + {reach!r} * width / max(width - 60, 60)"), nice=False)


def _members() -> alt.Axis:
    return alt.Axis(labelLimit=140, ticks=False, domain=False, grid=False, labelPadding=8)


def _amounts() -> alt.Axis:
    return alt.Axis(format=",~f", tickCount=5, domain=False)


def _legend(entries: int, **more: Any) -> alt.Legend:
    # On a narrow page the legend wraps to two columns; a screen of a phone cannot hold more.
    return alt.Legend(orient="top", columns=alt.ExprRef(f"width < 420 ? 2 : {max(1, min(entries, 5))}"), labelLimit=130, **more)


def _colours(field: str, order: Sequence[str]) -> alt.Color:
    scale = alt.Scale(domain=list(order), range=[SERIES[place % len(SERIES)] for place in range(len(order))])
    legend = _legend(len(order), symbolType="stroke", offset=26)
    return alt.Color(field, title=None, scale=scale, sort=list(order), legend=legend)


def _dashes(field: str, order: Sequence[str]) -> alt.StrokeDash:
    scale = alt.Scale(domain=list(order), range=[DASHES[place % len(DASHES)] for place in range(len(order))])
    return alt.StrokeDash(field, title=None, scale=scale, sort=list(order))


def _tips(titles: dict[str, str], number: str = ",.2f") -> list[alt.Tooltip]:
    """What the pointer shows: the title of each field, amounts with their number format."""
    return [
        alt.Tooltip(field, title=title, **({"format": number} if field.endswith(":Q") else {}))
        for field, title in titles.items()
    ]


@alt.theme.register("planlib", enable=False)
def _theme() -> alt.theme.ThemeConfig:
    return {"config": theme.config()}


def _render(found: dict[str, Any], **_: Any) -> dict[str, Any]:
    # Altair's own MIME renderer emits a type that nbclient refuses; this one JupyterLab and papermill both take.
    return {MIME: found, "text/plain": "[chart]"}


alt.renderers.register("planlib", _render)
