"""The numbers of the budget chapter, each within the bounds of the book."""

from typing import Annotated

from pydantic import Field

from planlib.chapters.base import ChapterParameters, Share


class Parameters(ChapterParameters):
    """What the notebook's parameters cell holds; meanings and units stand there."""

    marketing_ratio: Annotated[float, Field(gt=0, le=0.20)] = 0.12
    ratio_cap: Annotated[float, Field(gt=0, le=0.20)] = 0.20
    marketing_per_growth: Annotated[float, Field(ge=0, le=5)] = 1.5
    reserve_share: Annotated[float, Field(ge=0.10, le=0.15)] = 0.10
    promotion_cap: Annotated[float, Field(gt=0, le=1)] = 0.25
    least_change: Annotated[float, Field(ge=0, le=1)] = 0.5
    most_change: Annotated[float, Field(ge=1, le=5)] = 2.0
    freeze_roi: Annotated[float, Field(ge=0, le=10)] = 1.5
    critical_funding: Annotated[float, Field(ge=1.0, le=1.5)] = 1.2
    other_funding: Annotated[float, Field(ge=0.5, le=1.0)] = 0.8
    star_share: Annotated[float, Field(ge=0.5, le=1)] = 0.70
    customer_share: Annotated[float, Field(ge=0.5, le=1)] = 0.80
    idle_line: Share = 0.15
    fast_days: Annotated[int, Field(ge=1, le=365)] = 30
    durable_days: Annotated[int, Field(ge=1, le=730)] = 90
    variance_line: Share = 0.05
    report_hours: Annotated[int, Field(ge=1, le=720)] = 48
