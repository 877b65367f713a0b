"""The look of every chart: fonts, colours and dashes, and the Vega-Lite configuration made of them."""

from typing import Any

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', "
    "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)
GOOD, BAD, TOTAL, FAINT, INK, MUTED = "#0072B2", "#D55E00", "#5F6B76", "#A9B4BE", "#1B242C", "#56616B"
# Okabe and Ito (2008): told apart with any colour vision; the dashes tell the series apart in grey.
SERIES = ["#0072B2", "#D55E00", "#5F6B76", "#009E73", "#B77F00", "#56B4E9", "#CC79A7", "#1B242C"]
DASHES = [[1, 0], [6, 3], [2, 2], [9, 3, 2, 3], [4, 2], [1, 3], [8, 4], [3, 1]]


def config() -> dict[str, Any]:
    """The `config` part of a Vega-Lite spec: quiet axes, messages as titles, the same font as the page."""
    text = {"font": FONT, "labelFont": FONT, "titleFont": FONT}
    quiet = {"labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "font": FONT,
        "background": "white",
        "view": {"stroke": None},
        "title": {**text, "fontSize": 15, "fontWeight": 600, "color": INK, "anchor": "start", "offset": 14},
        "axis": {**quiet, "gridColor": "#E6EAEE", "tickColor": "#E6EAEE", "domainColor": FAINT, "labelPadding": 6},
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -10, "titleX": 0},
        "legend": {**quiet, "symbolStrokeWidth": 2.5, "columnPadding": 16},
        "text": {"font": FONT, "fontSize": 12},
        "range": {"category": SERIES},
    }
