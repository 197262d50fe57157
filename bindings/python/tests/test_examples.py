"""The examples run, and what they print is what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from conftest import CHILD, TREE, Lab, Server, run

EXAMPLES = {
    "connect": ["b'3 items'"],
    "failover_loop": ["20"],
    "five_lines": ["b'3 items'"],
    "pipeline": ["['name 0', 'name 1', 'name 2']", "{'balance': '80'} {'balance': '120'}"],
    "pubsub": ["news hello", "user.7 goodbye"],
    "tasks": ["1000", "['report']"],
    "resolver": ["epoch 1", "redis-py"],
}


def test_every_example_is_here() -> None:
    found = {path.stem for path in (TREE / "examples" / "python").glob("*.py")}
    assert found == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(server: Server, name: str) -> None:
    program = TREE / "examples" / "python" / f"{name}.py"
    environment = {name: it for name, it in os.environ.items() if not name.startswith("REDIS_")}
    ended = subprocess.run(
        [sys.executable, "-X", "dev", str(program), *(["20"] if name == "failover_loop" else [])],
        env={**environment, **CHILD, "REDIS_URL": server.url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    for words in EXAMPLES[name]:
        assert words in ended.stdout


def test_both_programs_of_the_page_do_the_same(lab: Lab) -> None:
    page = (TREE / "docs" / "python-from-redis-py.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(programs) == 2
    assert [run(program) for program in programs] == ["b'3 items'\n"] * 2
