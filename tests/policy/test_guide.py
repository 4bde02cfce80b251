"""The guide to policies is true: its snippets make a sound bundle, and its lists are those of the engine."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from qpm_lab.policy import check, find_folder
from qpm_lab.policy import test as run_tests
from qpm_lab.policy.facts import CONTEXT
from qpm_lab.policy.quotas import MEASURES, Scope
from qpm_lab.policy.windows import Window

GUIDE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
SNIPPETS = re.findall(r"```(?:json|cedar|yaml) (\S+)\n(.*?)```", GUIDE, re.DOTALL)


def added(folder: Path, name: str, text: str) -> None:
    """Adds a snippet to its file: rules at the end, entries to the list they belong to."""
    path = folder / name
    if name.endswith(".cedar"):
        path.write_text(path.read_text() + "\n" + text)
    elif name.endswith(".json"):
        path.write_text(json.dumps(json.loads(path.read_text()) + json.loads(text)))
    else:
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        document[path.stem] += yaml.safe_load(text)
        path.write_text(yaml.safe_dump(document, sort_keys=False))


def guided(folder: Path, *, without: str = "") -> Path:
    shutil.copytree(find_folder("team"), folder)
    for name, text in SNIPPETS:
        if name != without:
            added(folder, name, text)
    return folder


def test_the_guides_snippets_make_a_sound_bundle_that_passes_its_tests(tmp_path: Path) -> None:
    """A copy of `team` with every snippet of the guide is checked and tested."""
    assert {name for name, _ in SNIPPETS} == {"entities.json", "limits.cedar", "quotas.yaml", "tests.yaml"}
    assert GUIDE.count("```") == 2 * (len(SNIPPETS) + 1)
    folder = guided(tmp_path / "my-lab")
    assert check(folder) == []
    report = run_tests(folder)
    assert [(row.name, row.got) for row in report.rows if not row.ok] == []
    assert report.ok


@pytest.mark.parametrize("without", ["entities.json", "limits.cedar", "quotas.yaml"])
def test_the_guides_test_rows_depend_on_its_snippets(tmp_path: Path, without: str) -> None:
    """Each snippet does something that a row of the guide sees."""
    assert not run_tests(guided(tmp_path / "my-lab", without=without)).ok


def test_the_guide_names_everything_that_rules_and_quotas_can_use() -> None:
    """A fact, measure, scope or window that is not in the guide fails here."""
    for name in (*CONTEXT, *MEASURES, *get_args(Scope), *get_args(Window)):
        assert f"`{name}`" in GUIDE, name


def test_the_guide_is_short() -> None:
    """At most 120 lines."""
    assert GUIDE.count("\n") <= 120
