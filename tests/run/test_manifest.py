"""Keys and manifests: what changes a number changes a key, and nothing else does."""

import copy
import json

import pytest

from planlib.run import manifest as made
from tests.conftest import ROOT


def notebook() -> dict:
    return json.loads((ROOT / "notebooks" / "02-region.ipynb").read_text(encoding="utf-8"))


def test_canonical_json_has_one_spelling():
    # RFC 8785 orders keys and drops spaces.
    assert made.canonical({"b": 1, "a": ["é", None]}) == '{"a":["é",null],"b":1}'.encode()


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": float("inf")}])
def test_numbers_json_does_not_know_are_refused(value):
    with pytest.raises(ValueError):
        made.canonical(value)


def test_keys_that_are_not_text_are_refused():
    with pytest.raises(TypeError, match="1"):
        made.canonical({"a": {1: 2}})


def test_the_code_hash_ignores_what_a_run_adds():
    ran = notebook()
    for number, cell in enumerate(ran["cells"]):
        cell["id"] = f"x{number}"
        cell["metadata"]["papermill"] = {"duration": 1.0}
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = number, [{"output_type": "stream", "text": "hello"}]

    assert made.notebook_code_hash(ran) == made.notebook_code_hash(notebook())


def test_the_code_hash_sees_a_changed_cell_and_a_moved_tag():
    changed = notebook()
    cell = next(cell for cell in changed["cells"] if cell["cell_type"] == "code")
    untagged = copy.deepcopy(changed)
    cell["source"] = [*cell["source"], "\nx = 1"]
    next(c for c in untagged["cells"] if c["metadata"].get("tags"))["metadata"]["tags"] = []

    assert len({made.notebook_code_hash(each) for each in (notebook(), changed, untagged)}) == 3


def test_the_tree_hash_sees_names_and_bytes_but_no_caches(tmp_path):
    (tmp_path / "pack" / "__pycache__").mkdir(parents=True)
    (tmp_path / "pack" / "a.py").write_text("1")
    first = made.tree_hash(tmp_path)
    (tmp_path / "pack" / "__pycache__" / "a.pyc").write_text("x")
    assert made.tree_hash(tmp_path) == first
    (tmp_path / "pack" / "a.py").rename(tmp_path / "pack" / "b.py")
    renamed = made.tree_hash(tmp_path)
    (tmp_path / "pack" / "b.py").write_text("2")

    assert len({first, renamed, made.tree_hash(tmp_path)}) == 3
    assert made.tree_hash(tmp_path, without=("pack",)) == made.tree_hash(tmp_path / "pack" / "__pycache__")


def test_compare_names_the_table_that_differs():
    one = {"outputs": {"01-a": {"digest": "x"}, "02-b": {"digest": "y"}}}
    two = {"outputs": {"01-a": {"digest": "x"}, "02-b": {"digest": "z"}, "03-c": {"digest": "w"}}}

    assert made.compare(one, two) == {"01-a": True, "02-b": False, "03-c": False}


def test_differences_show_both_values():
    lines = made.differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})

    assert lines == ["a.b: 1 then, 3 now"]
