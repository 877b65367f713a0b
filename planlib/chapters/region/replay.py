"""What the company's own past says of the region drivers: what each would have moved, and what came (REG-1 to REG-5)."""

from collections.abc import Callable, Mapping

import pandas as pd

from planlib.chapters.region.attainment import YEARS, attained
from planlib.chapters.region.markets import reached
from planlib.chapters.region.parameters import Parameters
from planlib.chapters.region.teams import team
from planlib.chapters.region.weights import newcomers, uplift
from planlib.data.sources import Tables
from planlib.estimates.evidence import Evidence
from planlib.estimates.replay import Origin, Replay
from planlib.periods import Horizon
from planlib.plan import AMOUNT

NO_TABLE = "the table it needs is not there"
PRESENT = "its table shows today only"
STATED = "it is stated for this plan"


def replayed(source: Tables, sold: pd.DataFrame, horizon: Horizon, parameters: Parameters) -> dict[str, Evidence]:
    """What the past says of each driver of `drivers` but the trend, by its name (REG-1 to REG-5).

    `sold`: region, month, amount (minor units) of all orders up to as_of. Reach is made of the orders up to each past date,
    attainment of the targets of the three years before it, team of who was employed on it. The table `regions` has no dates:
    potential, competition and maturity cannot be tested, nor can a priority, which is stated for the plan.
    """
    past = Replay.of(sold, "region", horizon)
    targets, staff = source.get("targets"), source.get("staff")

    def before(origin: Origin) -> pd.DataFrame:
        return sold[sold["month"] <= origin.known.until]

    def reach(origin: Origin) -> pd.DataFrame | None:
        found = reached(source, origin.known, parameters)
        return None if found is None else found[["region", "share"]]

    def steadily(origin: Origin) -> pd.DataFrame | None:
        found = attained(targets, before(origin), origin.known)
        names = pd.Series(sorted(before(origin)["region"].unique()))
        whole = found is not None and (found.groupby("region")["attainment"].count() >= YEARS).any()
        return uplift(names, found, parameters) if whole else None

    def teams(origin: Origin) -> pd.DataFrame | None:
        sums = before(origin).groupby("region")[AMOUNT].sum().reset_index()
        found = team(staff, sums, origin.known, parameters)
        return None if found is None else newcomers(sums["region"], found, parameters)

    asked: Mapping[str, tuple[bool, Callable[[Origin], pd.DataFrame | None], float]] = {
        "reach": (True, reach, parameters.reach_weight),
        "attainment": (targets is not None, steadily, 1.0),
        "team": (staff is not None, teams, 1.0),
    }
    found = {name: past.ask(values, part) if there else Evidence(why=NO_TABLE) for name, (there, values, part) in asked.items()}
    none = dict.fromkeys(("potential", "competition", "maturity"), Evidence(why=PRESENT))
    return found | none | {"priority": Evidence(why=STATED)}
