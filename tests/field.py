"""The cases from the field (`shared/cases`, beside the repository), copied into a project of their own."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT


def case(name: str, project: Path) -> Path:
    """The folder of a case's files inside `project`; skips where the cases are not beside this repository."""
    found = [folder / "shared" / "cases" / name for folder in ROOT.parents]
    there = next((folder for folder in found if folder.is_dir()), None)
    if there is None:
        pytest.skip(f"{name} of ../shared/cases is not beside this repository")
    for folder in ("notebooks", "params"):  # what makes a folder a project
        (project / folder).mkdir(parents=True, exist_ok=True)
    for file in there.iterdir():
        shutil.copyfile(file, project / "params" / file.name)
    return project / "params"
