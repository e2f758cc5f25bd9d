"""The conformance scripts, one test each, played by the Python runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import conformance

SCRIPTS = sorted((Path(__file__).parents[3] / "tests" / "conformance").glob("*.txt"))


def test_the_scripts_are_there() -> None:
    assert len(SCRIPTS) >= 40


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script(script: Path) -> None:
    passed, line = conformance.play(script)
    assert line == f"ok {script}"
    assert passed > 0


def test_a_failing_step_names_its_line(tmp_path: Path) -> None:
    script = tmp_path / "wrong.txt"
    script.write_text("# It fails.\nnode n\nmap m n m\nput m k v\nget m k -> other\n")
    assert conformance.play(script) == (3, f"FAIL {script}:5 expected other got v")


@pytest.mark.parametrize("step", ["no_such m", "get m k -> ", "get  m k", "get m", "get x k -> v", "put m k v => a b"])
def test_what_is_no_step_fails(tmp_path: Path, step: str) -> None:
    script = tmp_path / "wrong.txt"
    script.write_text(f"# It fails.\nnode n\nmap m n m\n{step}\n")
    assert conformance.play(script)[1].startswith(f"FAIL {script}:4 ")
