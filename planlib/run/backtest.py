"""A back-test: past years planned anew from what was known before them, and held against what they brought.

Each year's plan is the chain's own, on inputs that were cut before it began (`backtest_cut`), with what was sold in the end as
its target, so that only the split is judged; the total is judged by the momentum outlook of chapter 01.
"""

import concurrent.futures
import contextlib
import datetime as dt
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planlib.currency import minor_exponent
from planlib.errors import InputDataError, ParameterError, PlanError
from planlib.estimates.reconciled import absent
from planlib.periods import Horizon
from planlib.plan import AMOUNT
from planlib.run import backtest_page, chain
from planlib.run import manifest as made
from planlib.run.backtest_cut import another_future, as_known, first_day
from planlib.run.backtest_table import PLACES, judged, outlook_row
from planlib.run.doors import Doors, Progress, mappings
from planlib.run.folder import near, only_one, read_json, write_json
from planlib.run.settings import RunSettings

MOST_YEARS = 3  # judged where none is asked for
AT_ONCE = 2  # plans side by side, each with kernels of its own
FINEST = "05-time"
Cut = Callable[[RunSettings, int, Path], tuple[RunSettings, list[str]]]


@dataclass(frozen=True)
class Made:
    """What one past plan left: digests of its plans by chapter and sha256 of its inputs by table; the split down to months."""

    plans: dict[str, str]
    inputs: dict[str, str]
    split: pd.DataFrame


@dataclass(frozen=True)
class Past:
    """One year to be planned: its settings, cut, and what there is to say about it."""

    year: int
    settings: RunSettings
    told: tuple[str, ...]


def backtest(
    settings: RunSettings,
    years: Sequence[int] = (),
    *,
    reports: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Judge past years and write `reports/<run>-backtest/`; returns that folder.

    It holds levels.parquet, sizes.parquet and total.parquet (see `backtest_table`), backtest.json (key, years, what is to be
    said) and index.html. Does nothing where the folder was made from the same parameters, inputs, years and code, unless
    `force`. Raises ParameterError for a year that cannot be judged, PlanError where no year could be planned.
    """
    progress = progress or Progress()
    reports = (reports or settings.root / "reports").resolve()
    target = reports / f"{settings.run}-backtest"
    if target.exists() and not (target / "backtest.json").is_file():
        raise PlanError(f"{near(target)}: found a folder that is no back-test, expected room for one; move it away.")
    with only_one(reports, target.name), tempfile.TemporaryDirectory(dir=reports, prefix=".backtest-") as scratch:
        orders = known_orders(settings, reports / ".inputs")
        chosen = judgeable(settings, orders, years)
        key = _key(settings, chosen)
        if not force and _same(target, key):
            progress.say(f"nothing to do: {near(target)} was made from the same parameters, inputs, years and code.")
            return target
        past = [_past(settings, orders, year, Path(scratch)) for year in chosen]
        plans, said = _planned(past, Path(scratch), progress)
        if not plans:
            raise PlanError("back-test: found no past year that could be planned, expected one:\n" + "\n".join(said))
        frames: dict[str, list[pd.DataFrame]] = {"levels": [], "sizes": [], "total": []}
        for year, plan in sorted(plans.items()):
            levels, sizes, notes = judged(plan.split, orders, _horizon(settings, year))
            frames["levels"].append(levels)
            frames["sizes"].append(sizes)
            frames["total"].append(outlook_row(orders, _horizon(settings, year), settings.parameters["strategy"]))
            said += notes
        tables = {name: pd.concat(each, ignore_index=True) for name, each in frames.items()}
        built = Path(scratch) / "built"
        built.mkdir()
        for name, frame in tables.items():
            frame.to_parquet(built / f"{name}.parquet", index=False)
        facts = {
            "key": key,
            "run": settings.run,
            "company": settings.company,
            "currency": settings.currency,
            "decimals": minor_exponent(settings.currency),
            "years": sorted(plans),
            "told": said,
        }
        (built / "index.html").write_text(backtest_page.page(facts, tables), encoding="utf-8")
        write_json(built / "backtest.json", facts)
        if target.exists():
            target.rename(Path(scratch) / "before")
        built.rename(target)
    return target


def known_orders(settings: RunSettings, store: Path) -> pd.DataFrame:
    """All net orders up to `as_of`, in today's members: region, product, channel, month, amount and returned (minor units)."""
    from planlib.data.changes import lenient
    from planlib.data.ingest import ingest
    from planlib.data.sources import Tables

    data: dict[str, Any] = {name: settings.data[name] for name in ("orders", "periods") if name in settings.data}
    changes = lenient(settings.changes)  # other tables may name who has no orders yet
    ingested, _ = ingest(mappings(data), settings.currency, store, changes)
    tables = Tables({name: each.parquet for name, each in ingested.items()})
    return tables.orders([*PLACES, "month"], until=settings.horizon.until)


def judgeable(settings: RunSettings, orders: pd.DataFrame, asked: Sequence[int] = ()) -> list[int]:
    """The years to judge: whole years of actuals with at least twelve months of orders before them, the last three by default.

    Raises ParameterError for a year asked for that is none of these, InputDataError where there is none at all.
    """
    horizon = settings.horizon
    first, last = orders["month"].min(), min(horizon.until, orders["month"].max())
    able = []
    for year in range(int(first[:4]), int(last[:4]) + 1):
        before, months = horizon.year_of(year - 1), horizon.year_of(year)
        sold = orders.loc[orders["month"].isin(months), AMOUNT].sum()
        if before[0] >= first and months[-1] <= last and sold > 0:
            able.append(year)
    if not able:
        raise InputDataError(
            f"orders: found {first} to {last}, expected a whole plan year with twelve months before it; add older orders."
        )
    wrong = sorted(set(asked) - set(able))
    if wrong:
        raise ParameterError(
            f"--years: found {', '.join(map(str, wrong))}, expected whole years of orders with a year before them, here "
            f"{', '.join(map(str, able))}; name some of these."
        )
    return sorted(set(asked)) if asked else able[-MOST_YEARS:]


def proven(
    settings: RunSettings,
    year: int | None = None,
    *,
    reports: Path | None = None,
    progress: Progress | None = None,
    cut: Cut = as_known,
) -> list[str]:
    """Plan a past year twice, the second time with all that came later doubled and shuffled; returns what differs, [] for none.

    What is compared are the inputs' bytes, table by table, and the digest of every chapter's plan.
    """
    reports = (reports or settings.root / "reports").resolve()
    with (
        only_one(reports, f"{settings.run}-backtest"),
        tempfile.TemporaryDirectory(dir=reports, prefix=".backtest-") as scratch,
    ):
        orders, base = known_orders(settings, reports / ".inputs"), Path(scratch)
        year = judgeable(settings, orders, [] if year is None else [year])[-1]
        other = another_future(settings, year, base / "future")
        twice = [_past(each, orders, year, base / name, cut) for name, each in (("one", settings), ("two", other))]
        jobs = [(past.settings, base / name / "reports") for name, past in zip(("one", "two"), twice, strict=True)]
        one, two = _side_by_side(jobs, progress or Progress())
        for each in (one, two):
            if isinstance(each, PlanError):
                raise each
    if not isinstance(one, Made) or not isinstance(two, Made):
        raise PlanError("back-test: the proof planned nothing, expected two plans; run again.")
    return [f"input {name}" for name in sorted({*one.inputs, *two.inputs}) if one.inputs.get(name) != two.inputs.get(name)] + [
        f"plan {stem}" for stem in sorted({*one.plans, *two.plans}) if one.plans.get(stem) != two.plans.get(stem)
    ]


def told(folder: Path) -> str:
    """A back-test as a terminal shows it, read from its folder."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in backtest_page.TITLES}
    return backtest_page.text(read_json(folder / "backtest.json"), tables)


def _past(settings: RunSettings, orders: pd.DataFrame, year: int, folder: Path, cut: Cut = as_known) -> Past:
    """A year's settings, its inputs cut and what it sold in the end as its target."""
    known, told = cut(settings, year, folder / f"inputs-{year}")
    months = _horizon(settings, year).months
    sold = int(orders.loc[orders["month"].isin(months), AMOUNT].sum())
    target = sold / 10 ** minor_exponent(settings.currency)
    parameters = {name: dict(each) for name, each in settings.parameters.items()}
    parameters["strategy"]["target"] = target
    if _without_rules(settings):
        told = [*told, "The rules and locks of today hold in the plan: what they move counts as ours."]
    return Past(year, known.model_copy(update={"parameters": parameters}), tuple(f"{year}: {text}" for text in told))


def _horizon(settings: RunSettings, year: int) -> Horizon:
    """A plan year as it stood on the day before it."""
    return replace(settings.horizon, year=year, as_of=first_day(settings, year) - dt.timedelta(days=1))


def _planned(past: Sequence[Past], scratch: Path, progress: Progress) -> tuple[dict[int, Made], list[str]]:
    """Every year's plan; where one fails with its rules and locks, it is made without them, and that is said."""
    plans: dict[int, Made] = {}
    told = [text for each in past for text in each.told]
    found = _side_by_side([(each.settings, scratch / f"reports-{each.year}") for each in past], progress)
    again = []
    for each, result in zip(past, found, strict=True):
        if isinstance(result, Made):
            plans[each.year] = result
        elif free := _without_rules(each.settings):
            told.append(f"{each.year}: planned without the rules and locks of today, which do not hold then: {_short(result)}")
            again.append(replace(each, settings=free))
        else:
            told.append(f"{each.year}: cannot be planned: {_short(result)}")
    found = _side_by_side([(each.settings, scratch / f"free-{each.year}") for each in again], progress) if again else []
    for each, result in zip(again, found, strict=True):
        if isinstance(result, Made):
            plans[each.year] = result
        else:
            told.append(f"{each.year}: cannot be planned without them either: {_short(result)}")
    return plans, told


def _without_rules(settings: RunSettings) -> RunSettings | None:
    """The settings without rules and locks; None where they have none."""
    limits = [(name, kind) for name, each in settings.parameters.items() for kind in ("rules", "locks") if each.get(kind)]
    parameters = {name: dict(each) for name, each in settings.parameters.items()}
    for name, kind in limits:
        parameters[name][kind] = []
    return settings.model_copy(update={"parameters": parameters}) if limits else None


def _short(error: object) -> str:
    """A fault without where its evidence lay: that folder is gone."""
    return str(error).partition("\nevidence")[0].replace("\n", " ").strip()


def _side_by_side(jobs: Sequence[tuple[RunSettings, Path]], progress: Progress) -> list[Made | PlanError]:
    """The plans of several settings, each in a process of its own, two at a time; a plan that fails is its fault."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(max_workers=min(AT_ONCE, len(jobs)), mp_context=spawn) as pool:
        waiting = [pool.submit(plan, *job) for job in jobs]
        for (settings, _), each in zip(jobs, waiting, strict=True):
            each.result()
            progress.say(f"{settings.run}: planned from what was known on {settings.as_of}")
        return [each.result() for each in waiting]


def plan(settings: RunSettings, reports: Path) -> Made | PlanError:
    """One past plan by the chain, without a report; a fault is returned, not raised. Its folder is taken away again."""
    doors = Doors(report=lambda folder: None, warm=lambda: None)
    try:
        folder = chain.run(settings, reports=reports, notebooks=settings.root / "notebooks", doors=doors)
        record = read_json(folder / "manifest.json")
        plans = {stem: str(each["digest"]) for stem, each in record["outputs"].items()}
        inputs = {table: str(each["sha256"]) for table, each in record["inputs"].items()}
        return Made(plans, inputs, pd.read_parquet(folder / "plan" / f"{FINEST}.parquet"))
    except PlanError as error:
        return type(error)(str(error))
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(reports)


def _key(settings: RunSettings, years: Sequence[int]) -> str:
    from planlib.data.ingest import fingerprint

    notebooks = {path.stem: made.file_hash(path) for path in sorted((settings.root / "notebooks").glob("*.ipynb"))}
    mapped = {table: {k: v for k, v in each.items() if k != "file"} for table, each in settings.data.items()}
    content: dict[str, Any] = {
        "header": settings.header(), "parameters": settings.parameters, "data": mapped, "years": list(years),
        "inputs": fingerprint(mappings(settings.data)), "notebooks": notebooks,
        "planlib": made.tree_hash(chain.PACKAGE), "environment": made.environment(settings.root), "absent": absent(),
    }  # fmt: skip
    return made.key_of(content)


def _same(target: Path, key: str) -> bool:
    files = ("backtest.json", "levels.parquet", "sizes.parquet", "total.parquet", "index.html")
    if not all((target / name).is_file() for name in files):
        return False
    try:
        return read_json(target / "backtest.json").get("key") == key
    except ValueError:
        return False
