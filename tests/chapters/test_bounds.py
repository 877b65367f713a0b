"""Every number of the method book is a parameter with the book's default, and what lies outside its bounds is refused."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from planlib.chapters import budget, channel, customer, product, region, strategy, time

CHAPTERS = {
    "strategy": strategy, "region": region, "product": product, "channel": channel, "time": time, "customer": customer,
    "budget": budget,
}  # fmt: skip
LIMITS = {"minimum": -1, "exclusiveMinimum": -1, "maximum": 1, "exclusiveMaximum": 1}
RANGE_ERRORS = {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}

# chapter.parameter: method item, default, lowest and highest value that is taken; None where the book sets no end.
BOOK: dict[str, tuple[str, float, float | None, float | None]] = {
    "strategy.growth": ("STR-1", 0.30, -0.9, 5),
    "strategy.new_market_share": ("STR-1", 0.15, 0, 1),
    "strategy.marketing_ratio": ("STR-1", 0.20, None, 0.5),
    "strategy.new_leads": ("STR-2", 5000, 0, None),
    "strategy.repurchase_rate": ("STR-2", 0.45, 0, 1),
    "strategy.nps_rank": ("STR-2", 0.10, None, 1),
    "strategy.launches": ("STR-3", 3, 0, None),
    "strategy.upgrades": ("STR-3", 10, 0, None),
    "strategy.region_budget": ("MET-4", 0.15, 0, 1),
    "strategy.region_managers": ("MET-4", 2, 0, 20),
    "strategy.pareto": ("MET-5", 0.80, 0.5, 1),
    "strategy.most_areas": ("MET-5", 5, 3, 5),
    "region.over_uplift": ("REG-3", 0.15, 0.15, 0.20),
    "region.newcomer_line": ("REG-5", 0.40, 0, 1),
    "region.newcomer_cut": ("REG-5", 0.10, 0, 0.30),
    "region.base_share": ("REG-6", 0.60, 0.40, 0.80),
    "region.incentive_share": ("REG-6", 0.30, 0.10, 0.50),
    "region.risk_share": ("REG-6", 0.10, 0, 0.20),
    "region.full_tools_share": ("REG-8", 0.30, 0, 1),
    "product.reach": ("PRD-1", 0.30, 0.05, 1),
    "product.quarter_growth": ("PRD-1", 0.15, 0, 1),
    "product.acquisition_cut": ("PRD-1", 0.05, 0, 0.5),
    "product.longer_life": ("PRD-1", 6, 0, 36),
    "product.growth_cut": ("PRD-2", 0.10, -0.10, 0.50),
    "product.share_cut": ("PRD-2", 1.0, 0.2, 3),
    "product.star_share": ("PRD-2", 0.40, 0, 0.80),
    "product.star_marketing": ("PRD-2", 0.50, 0.20, 0.80),
    "product.star_growth": ("PRD-2", 0.25, 0, 1),
    "product.cow_share": ("PRD-2", 0.35, 0, 0.80),
    "product.cow_margin": ("PRD-2", 0.10, 0, 0.50),
    "product.question_months": ("PRD-2", 6, 3, 24),
    "product.dog_share": ("PRD-2", 0.05, 0, 0.50),
    "product.dog_months": ("PRD-2", 3, 1, 12),
    "product.stop_loss": ("PRD-2", 0.0, -0.50, 0.30),
    "product.core_channels": ("PRD-3", 0.80, 0, 1),
    "product.launch_months": ("PRD-3", 3, 1, 12),
    "product.converted": ("PRD-3", 0.05, 0.01, 0.50),
    "product.payback_months": ("PRD-3", 6, 1, 24),
    "product.ltv_over_cac": ("PRD-3", 3.0, 1, 10),
    "product.feedback": ("PRD-3", 1000, 10, 100_000),
    "product.improvements": ("PRD-3", 2, 0, 20),
    "time.over_line": ("TIM-3", 0.10, 0, 0.5),
    "time.lift": ("TIM-3", 0.05, 0.05, 0.08),
    "time.alert_line": ("TIM-4", 0.15, None, None),
    "time.alert_weeks": ("TIM-4", 2, 1, 8),
    "time.stock_months": ("TIM-5", 3, 1, 6),
    "time.stock_extra": ("TIM-5", 0.30, 0, 1),
    "time.staff_extra": ("TIM-5", 0.20, 0, 1),
    "time.presale_hours": ("TIM-5", 48, 0, 240),
    "time.held_back": ("TIM-5", 0.10, 0.10, 0.15),
    "time.exception_hours": ("TIM-5", 24, 1, 72),
    "time.ad_cap": ("TIM-6", 0.08, None, 0.20),
    "customer.dormant_months": ("CUS-4", 6, 1, 36),
    "customer.upsell_reach": ("CUS-4", 0.30, 0, 1),
    "customer.upsell_lift": ("CUS-4", 0.20, 0, 1),
    "customer.crosssell_reach": ("CUS-4", 0.50, 0, 1),
    "customer.referral_share": ("CUS-4", 0.15, 0, 1),
    "customer.winback_share": ("CUS-4", 0.40, 0, 1),
    "customer.key_share_from": ("CUS-5", 0.05, 0, 1),
    "customer.key_share_to": ("CUS-5", 0.12, 0, 1),
    "customer.cities_per_quarter": ("CUS-5", 3, 0, 20),
    "customer.acquisition_cost": ("CUS-5", 0.08, 0.01, 0.50),
    "budget.marketing_per_growth": ("BUD-1", 1.5, 0, 5),  # revenue +20% goes with marketing +30%
    "budget.ratio_cap": ("STR-1", 0.20, None, 0.20),
    "budget.promotion_cap": ("BUD-3", 0.25, None, 1),
    "budget.reserve_share": ("BUD-4", 0.10, 0.10, 0.15),
    "budget.star_share": ("BUD-5", 0.70, 0.5, 1),
    "budget.customer_share": ("BUD-5", 0.80, 0.5, 1),
    "budget.critical_funding": ("BUD-5", 1.2, 1.0, 1.5),
    "budget.other_funding": ("BUD-5", 0.8, 0.5, 1.0),
    "budget.freeze_roi": ("BUD-6", 1.5, 0, 10),
    "budget.idle_line": ("BUD-6", 0.15, 0, 1),
    "budget.fast_days": ("BUD-6", 30, 1, 365),
    "budget.durable_days": ("BUD-6", 90, 1, 730),
    "budget.variance_line": ("BUD-6", 0.05, 0, 1),
    "budget.report_hours": ("BUD-6", 48, 1, 720),
}  # fmt: skip


def field(name: str) -> tuple[type[BaseModel], str]:
    chapter, parameter = name.split(".")
    return CHAPTERS[chapter].Parameters, parameter


def range_errors(model: type[BaseModel], value: dict[str, Any], *place: str) -> set[str]:
    """The kinds of range errors that a value raises at a place of the model."""
    try:
        model(**value)
    except ValidationError as error:
        return {e["type"] for e in error.errors() if e["loc"][: len(place)] == place} & RANGE_ERRORS
    return set()


@pytest.mark.parametrize("name", BOOK)
def test_the_books_numbers_are_the_defaults_and_stay_within_their_bounds(name):
    _, default, low, high = BOOK[name]
    model, parameter = field(name)
    assert model.model_fields[parameter].default == default
    for end, outward in ((low, -1), (high, 1)):
        if end is not None:
            step = 1 if isinstance(default, int) else 1e-6
            beyond = round(end + outward * step, 6)
            given = end if isinstance(default, int) else float(end)
            assert not range_errors(model, {parameter: given}, parameter), f"{name}={given} is refused"
            assert range_errors(model, {parameter: beyond}, parameter), f"{name}={beyond} is taken"


def test_the_books_tables_of_numbers():
    assert region.Parameters().maturity == {"incubating": 0.8, "growing": 1.0, "mature": 1.2}  # REG-4
    assert region.Parameters().pattern_a == {"manager": 1, "supervisor": 3, "specialist": 15}  # REG-7
    assert region.Parameters().pattern_b == {"manager": 1, "supervisor": 5, "specialist": 10}
    for uplift, taken in ((0.29, False), (0.30, True), (0.50, True), (0.51, False)):  # REG-2
        assert (not range_errors(region.Parameters, {"priority": {"Zhejiang": uplift}}, "priority", "Zhejiang")) == taken


def bounded() -> Iterator[tuple[str, type[BaseModel], tuple[str, ...], dict[str, Any]]]:
    """Every number of every chapter, those in dictionaries too: its name, model, place and JSON schema."""
    models = [(name, chapter.Parameters) for name, chapter in CHAPTERS.items()]
    models += [("strategy.market_drivers", strategy.Driver), ("time.holidays", time.Window)]
    for owner, model in models:
        for name, schema in model.model_json_schema()["properties"].items():
            place: tuple[str, ...] = (name,)
            while schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
                place = (*place, schema.get("propertyNames", {}).get("enum", ["x"])[0])
                schema = schema["additionalProperties"]
            if schema.get("type") in ("number", "integer"):
                yield f"{owner}.{'.'.join(place)}", model, place, schema


@pytest.mark.parametrize(("model", "place", "schema"), [pytest.param(*row[1:], id=row[0]) for row in bounded()])
def test_every_number_refuses_what_lies_outside(model, place, schema):
    whole = schema["type"] == "integer"
    ends = [(schema[limit], outward, limit.startswith("exclusive")) for limit, outward in LIMITS.items() if limit in schema]

    def found(value: float) -> set[str]:
        given: Any = int(value) if whole else float(value)
        for name in reversed(place):
            given = {name: given}
        return range_errors(model, given, *place)

    assert any(outward < 0 for _, outward, _ in ends), "a number without a lower bound"
    for end, outward, strict in ends:
        near = 1 if whole else math.ulp(max(1.0, abs(end)))
        assert found(end + outward * near)
        assert bool(found(end)) == strict and not found(end - outward * near)


def test_no_number_is_taken_as_a_text_or_beyond_all_bounds():
    for _, model, place, schema in bounded():
        if len(place) == 1:
            with pytest.raises(ValidationError):
                model(**{place[0]: "1"})
            if schema["type"] == "number":
                with pytest.raises(ValidationError):
                    model(**{place[0]: math.nan})
