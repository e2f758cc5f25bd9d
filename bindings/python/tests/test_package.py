"""The wheel, as a user gets it: installed without a network into an empty environment, and used from there."""

from __future__ import annotations

import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import p2pmap
import pytest

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel() -> Path:
    wheels = sorted((HERE.parents[1] / "dist").glob(f"p2pmap-{p2pmap.__version__}-*.whl"), key=lambda path: path.stat().st_mtime)
    assert wheels, "no wheel in dist: run build.sh wheel"
    return wheels[-1]


def test_the_wheel_is_for_every_python_from_3_11_on(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {path.name for path in (HERE / "python" / "p2pmap").iterdir() if path.suffix in (".py", ".pyi", ".typed")}
    assert "py.typed" in expected | {path.name for path in (HERE / "python" / "p2pmap").iterdir()}
    assert names == {f"p2pmap/{name}" for name in expected | {"py.typed", "_p2pmap.abi3.so"}}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    for line in ("Name: p2pmap\n", f"Version: {p2pmap.__version__}\n", "Requires-Python: >=3.11\n"):
        assert line in text
    assert "# p2pmap for Python" in text
    assert "Requires-Dist" not in text


def test_it_runs_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", wheel]
    subprocess.run(install, check=True, cwd=tmp_path)
    example = (HERE / "examples" / "quickstart.py").read_text()
    (tmp_path / "quickstart.py").write_text(example)
    result = subprocess.run([python, "-I", "quickstart.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    assert "both hold ['dark_mode', 'new_search']" in result.stdout


def test_the_readmes_code_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = str(server.getsockname()[1])
    code = (HERE / "README.md").read_text().split("```python\n")[1].split("```")[0].replace("7400", nobody)
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 flags, dark_mode is {'on': True}" in result.stdout
    assert "put dark_mode {'on': True}" in result.stdout
