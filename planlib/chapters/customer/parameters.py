"""The numbers of chapter 06, each within the bounds in which it makes sense."""

from typing import Annotated

from pydantic import Field

from planlib.chapters.base import Counting, Share, SplitParameters

Months = Annotated[int, Field(ge=1, le=36)]


class Parameters(SplitParameters):
    # CUS-1, CUS-2
    dormant_months: Months = 6
    high_value_share: Share = 0.20
    potential_share: Share = 0.30
    need_discount: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    introduction_months: Months = 6
    stage_growth: Annotated[float, Field(ge=0, le=1)] = 0.20
    stage_decline: Annotated[float, Field(ge=0, le=1)] = 0.20
    # CUS-3
    clv_months: Annotated[int, Field(ge=12, le=120)] = 36
    clv_discount: Annotated[float, Field(ge=0, le=0.05)] = 0.01
    # CUS-4
    retention: Share = 0.80
    retention_gain: Annotated[float, Field(ge=0, le=0.2)] = 0.02
    upsell_reach: Share = 0.30
    upsell_lift: Share = 0.20
    crosssell_reach: Share = 0.50
    crosssell_lift: Share = 0.05
    bundle_lift: Annotated[float, Field(ge=1, le=10)] = 1.2
    referral_share: Share = 0.15
    winback_share: Share = 0.40
    winback_most: Share = 0.80
    least_part: Share = 0.50
    # CUS-5
    key_industries: Annotated[list[str], Field(max_length=3)] = []
    key_share_from: Share = 0.05
    key_share_to: Share = 0.12
    cities_per_quarter: Annotated[int, Field(ge=0, le=20)] = 3
    candidate_cities: dict[str, list[str]] = {}
    acquisition_cost: Annotated[float, Field(ge=0.01, le=0.50)] = 0.08
    new_growth_most: Annotated[float, Field(ge=0, le=3)] = 0.40
    # CUS-6
    bridge_part: Share = 1.0
    counts: Counting = {}
