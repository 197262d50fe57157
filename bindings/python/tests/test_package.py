"""What `pip install .` gives."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import TREE


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    program = str(Path(sys.executable).parent / "maturin")
    line = [program, "build", "--profile", "dev", "--out", str(folder), "--quiet"]
    environment = {**os.environ, "VIRTUAL_ENV": str(TREE / ".venv")}
    subprocess.run(line, cwd=TREE, env=environment, check=True, timeout=600)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.mark.timeout(600)
def test_one_wheel_for_all_versions(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    for name in ("py.typed", "_commands.pyi", "_steadis.pyi", "asyncio/__init__.py"):
        assert f"steadis/{name}" in names
    assert not [name for name in names if name.startswith("tests/")]
    assert "Requires-Dist" not in text


@pytest.mark.timeout(600)
def test_it_works_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = tmp_path / "v" / "bin" / "python"
    line = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(wheel)]
    subprocess.run(line, check=True, env={**os.environ, "PIP_NO_INDEX": "1"})
    code = """
import importlib.metadata, steadis, steadis.asyncio
assert importlib.metadata.version("steadis") == steadis.__version__
points = importlib.metadata.entry_points(group="celery.result_backends")
print([point.value for point in points], steadis.connect("redis://h"))
"""
    ended = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stderr == ""
    assert "steadis.redis_py.celery:Backend" in ended.stdout
    assert "<steadis.Client of h:6379>" in ended.stdout
