"""The sample's two quarters, run once for all tests that look at a finished run."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
PLANLIB = str(Path(sys.executable).parent / "planlib")  # the console script of this environment

# A slow machine is no fault of the code: properties are searched without a clock; speed has its benchmarks.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def planlib(*words: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: int = 600) -> Ended:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [PLANLIB, *map(str, words)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Ended(done.returncode, done.stdout.strip(), done.stderr)


def copy_project(target: Path) -> Path:
    """The project's own files without environment and reports: what a clone holds."""
    target.mkdir(parents=True)
    for name in ("notebooks", "params", "data", "planlib"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, target / name)
    return target


def seeds(few: int, many: int) -> list[Any]:
    """Seeds of random instances: a few in every run of the tests, all of them with the slow ones."""
    return [*range(few), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(few, many))]


@pytest.fixture(scope="session")
def sample_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reports folder with 2026Q1 and 2026Q2 of the sample, as `planlib run params/2026Q2.yml` leaves it."""
    reports = tmp_path_factory.mktemp("sample") / "reports"
    ended = planlib("run", "params/2026Q2.yml", "--reports", reports)
    assert ended.code == 0, ended.err
    return reports


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium without a window; skips where there is none."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("no Chromium on this machine: install the package chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=binary, args=FLAGS.split())
        yield started
        started.close()


@contextlib.contextmanager
def offline(browser: Any, page: Path) -> Iterator[Any]:
    """A page opened from disk without a network: `asked` and `said` hold every request and every console message."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True, accept_downloads=True)
    tab = context.new_page()
    tab.asked, tab.said = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda fault: tab.said.append(str(fault)))
    tab.goto(page.as_uri())
    try:
        yield tab
    finally:
        context.close()
