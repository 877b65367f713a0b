"""What the chain calls in other rooms, each imported where it is called, and what it tells while it works."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planlib.run import manifest as made


class Progress:
    """What the chain tells while it works; the command line draws it, this one keeps silent."""

    def begin(self, run: str, stems: tuple[str, ...]) -> None:
        """A run starts."""

    def chapter(self, stem: str, state: str, seconds: float = 0.0) -> None:
        """A chapter is `running`, `done`, or `kept` from an earlier run."""

    def say(self, text: str) -> None:
        """One sentence for a person."""


def mappings(data: Mapping[str, Any]) -> dict[str, Any]:
    from planlib.data.files import TableMapping

    return {table: TableMapping.model_validate_json(json.dumps(each)) for table, each in data.items()}


def _fingerprint(data: Mapping[str, Any]) -> dict[str, str]:
    from planlib.data.ingest import fingerprint

    return fingerprint(mappings(data))


def _ingest(
    data: Mapping[str, Any], currency: str, store: Path, changes: Sequence[Mapping[str, Any]] = ()
) -> tuple[Mapping[str, Any], list[str]]:
    from planlib.data.ingest import ingest

    return ingest(mappings(data), currency, store, changes)


def _months(settings: Any, ingested: Mapping[str, Any]) -> list[str]:
    """What the orders lack, as sentences; InputDataError where that must stop the run. See `planlib.chapters.gaps`."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from planlib.estimates.windows import Coverage

    days = pc.unique(pq.read_table(ingested["orders"].parquet, columns=["date"])["date"])
    horizon = settings.horizon
    if not Coverage.of({horizon.calendar.at(day) for day in days.to_pylist()}, horizon.until).gaps:
        return []
    from planlib.chapters import gaps  # what was expected there takes the estimates, which are long to load
    from planlib.data.sources import Tables
    from planlib.formatting import Reader

    inputs = {name: ingested[name].parquet for name in ("orders", "periods") if name in ingested}
    orders = Tables(inputs, settings.as_of).orders([*gaps.CELLS, "month"])
    reader = Reader(settings.language, settings.currency)
    return gaps.check(
        orders, horizon, settings.missing_months, lambda amount: f"{reader.show(amount, 'money')} {reader.currency}"
    )


def _report(folder: Path) -> None:
    from planlib.run.report import write

    write(folder)


def _warm() -> None:
    from planlib.run.report import warm

    warm()


@dataclass(frozen=True)
class Doors:
    """What the chain calls in other rooms; a test hands in small ones."""

    fingerprint: Callable[[Mapping[str, Any]], dict[str, str]] = _fingerprint
    ingest: Callable[..., tuple[Mapping[str, Any], list[str]]] = _ingest
    months: Callable[[Any, Mapping[str, Any]], list[str]] = _months
    report: Callable[[Path], None] = _report
    warm: Callable[[], None] = _warm
    summary: Callable[[Path], dict[str, Any]] = made.plan_summary
