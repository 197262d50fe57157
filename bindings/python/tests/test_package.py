"""What `pip install .` gives, from a clone and from a source distribution."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from conftest import TREE

pytestmark = pytest.mark.timeout(900)

TOOLS = Path(sys.executable).parent
#: As little work as possible, and none of it twice.
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "MATURIN_PEP517_ARGS": "--profile dev",
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def unpacked(archive: Path) -> Path:
    """The files of a source distribution, always at one place.

    Those that are the same are left alone, because Cargo goes by their times.
    """
    place = TREE / "target" / "python-sdist"
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        contents = {place / name: file.read() for name, file in files.items() if file}
    known = {path for path in place.rglob("*") if path.is_file()}
    for path, content in contents.items():
        if path not in known or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in known - set(contents):
        path.unlink()
    [root] = place.iterdir()
    return root


@pytest.fixture(scope="module", params=["clone", "sdist"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    source, built = TREE, TREE / "target"
    if request.param == "sdist":
        line = [str(TOOLS / "maturin"), "sdist", "--out", str(folder)]
        subprocess.run(line, cwd=TREE, check=True, capture_output=True)
        [archive] = folder.glob("*.tar.gz")
        # Cargo would take the crates of one tree for those of the other.
        source, built = unpacked(archive), TREE / "target" / "python-sdist-built"
    line = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
    environment = {**ENVIRONMENT, "CARGO_TARGET_DIR": str(built)}
    subprocess.run([*line, "--wheel-dir", folder, source], env=environment, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def test_one_wheel_for_all_versions(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    package = TREE / "bindings" / "python" / "steadis"
    ours = {path for kind in ("py", "pyi", "typed") for path in package.rglob(f"*.{kind}")}
    assert {f"steadis/{path.relative_to(package)}" for path in ours} <= names
    assert {"steadis/py.typed", "steadis/_commands.pyi", "steadis/_steadis.abi3.so"} <= names
    assert any(name.endswith("LICENSE-MIT") for name in names)
    assert not [name for name in names if "test" in name]
    assert "Requires-Dist" not in text
    assert "Requires-Python: >=3.11" in text


def interpreters() -> list[str]:
    """All that are here and that the wheel is made for."""
    code = "import os, sys; sys.version_info < (3, 11) or print(os.path.realpath(sys.executable))"
    found = {os.path.realpath(sys.executable)}
    for minor in range(11, 20):
        program = shutil.which(f"python3.{minor}")
        if program:
            said = subprocess.run([program, "-c", code], capture_output=True, text=True)
            found |= set(said.stdout.split())
    return sorted(found)


@pytest.mark.parametrize("interpreter", interpreters())
def test_it_works_where_nothing_else_is(wheel: Path, tmp_path: Path, interpreter: str) -> None:
    subprocess.run([interpreter, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = tmp_path / "v" / "bin" / "python"
    line = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(wheel)]
    subprocess.run(line, check=True, env=ENVIRONMENT)
    code = """
import importlib.metadata, steadis, steadis.asyncio
assert importlib.metadata.version("steadis") == steadis.__version__
points = importlib.metadata.entry_points(group="celery.result_backends")
print([point.value for point in points], steadis.connect("redis://h"), steadis.__file__)
"""
    ended = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stderr == ""
    assert "steadis.redis_py.celery:Backend" in ended.stdout
    assert "<steadis.Client of h:6379>" in ended.stdout
    assert str(tmp_path) in ended.stdout
