"""The notebooks in an analyst's hands: opened alone, run top to bottom, in a real JupyterLab."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from planlib import plan as tables
from planlib.run.chain import CHAPTERS
from tests.conftest import copy_project, planlib

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("lab") / "project")
    ended = planlib("run", "params/2026Q1.yml", cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    assert ended.code == 0, ended.err
    return folder


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_notebook_opened_alone_runs_on_the_latest_run(project, stem):
    notebook = nbformat.read(project / "notebooks" / f"{stem}.ipynb", as_version=4)
    env = {**os.environ, "PYTHONPATH": str(project)}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": project / "notebooks"}}
    )
    client.execute(env=env)

    draft, published = (project / "reports" / folder / "plan" / f"{stem}.parquet" for folder in ("draft", "2026Q1"))
    assert tables.digest(pd.read_parquet(draft)) == tables.digest(pd.read_parquet(published))
    kinds = {mime for cell in notebook.cells for output in cell.get("outputs", []) for mime in output.get("data", {})}
    assert "application/vnd.planlib.v1+json" in kinds
    assert draft.stat().st_mtime > published.stat().st_mtime


@pytest.fixture
def lab(project, tmp_path):
    """A JupyterLab server on a free port, with its address and token."""
    env = {**os.environ, "PYTHONPATH": str(project), "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", f"--notebook-dir={project}"]
    log = (tmp_path / "lab.log").open("w+")
    server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, cwd=project)
    try:
        for _ in range(120):
            found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab\?token=(\w+)", (tmp_path / "lab.log").read_text())
            if found:
                break
            time.sleep(0.5)
        assert found, (tmp_path / "lab.log").read_text()
        yield found.group(1), found.group(2)
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def test_a_chapter_runs_and_draws_in_jupyterlab(lab, browser, project, tmp_path):
    port, token = lab
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"http://127.0.0.1:{port}/lab/tree/notebooks/02-region.ipynb?token={token}")
    page.wait_for_selector(".jp-Notebook", timeout=60_000)
    page.get_by_text("(ipykernel) | Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    # JupyterLab draws what is in view only: look up and down the notebook until the chart has come.
    drawn = page.locator(".vega-embed svg, .vega-embed canvas")
    page.mouse.move(700, 600)
    for step in range(60):
        page.mouse.wheel(0, -700 if step % 20 < 10 else 700)
        page.wait_for_timeout(1000)
        if drawn.count():
            break
    assert drawn.count() > 0
    drawn.first.scroll_into_view_if_needed()
    page.screenshot(path=os.environ.get("LAB_PICTURE", str(tmp_path / "lab.png")))
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    page.close()
    assert (project / "reports" / "draft" / "plan" / "02-region.parquet").exists()
