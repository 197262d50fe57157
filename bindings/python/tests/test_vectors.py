"""Python's values become the same bytes, and replies the same values, as everywhere."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import steadis
from conftest import load
from steadis import _steadis

EXACT = 2**53 - 1
COMMANDS = list(load("commands"))
CONFIGURATIONS = list(load("config"))


def argument(value: Any) -> Any:
    """A Python value for one in canonical JSON."""
    if isinstance(value, list):
        return [argument(item) for item in value]
    if isinstance(value, dict):
        [(kind, content)] = value.items()
        match kind:
            case "bytes":
                return bytes.fromhex(content)
            case "double":
                return float(content)
            case "map":
                return {argument(key): argument(item) for key, item in content}
        raise AssertionError(f"{kind} is no kind of argument")
    return value


def raw(value: Any) -> bytes:
    """Bytes that stand in JSON."""
    return value.encode() if isinstance(value, str) else bytes.fromhex(value["bytes"])


def canonical(value: Any) -> Any:
    """What came back, in canonical JSON."""
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return {"bytes": value.hex()}
        case bool() | None:
            return value
        case int():
            return value if abs(value) <= EXACT else {"integer": str(value)}
        case float():
            return {"double": value if math.isfinite(value) else str(value)}
        case dict():
            return {"map": [[canonical(key), canonical(it)] for key, it in value.items()]}
        case set():
            return {"set": unordered(value)}
        case list() | tuple():
            return [canonical(item) for item in value]
        case steadis.Error():
            return {"error": value.args[0]}
    raise AssertionError(f"{value!r} has no canonical form")


def unordered(items: Any) -> list[Any]:
    return sorted((canonical(item) for item in items), key=json.dumps)


def same(ours: Any, expected: Any) -> bool:
    """Sets are without order, and lists where Python has no hash for their members."""
    match ours, expected:
        case list(), {"set": list(members)}:
            return len(ours) == len(members) and all(
                any(same(item, member) for item in ours) for member in members
            )
        case {"set": members}, {"set": list(wanted)}:
            return bool(members == sorted(wanted, key=json.dumps))
        case {"map": ours}, {"map": expected}:
            return same(ours, expected)
        case list(), list():
            return len(ours) == len(expected) and all(map(same, ours, expected))
    return bool(ours == expected)


def options(case: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    named = {name: argument(value) for name, value in case.get("options", {}).items()}
    return tuple(argument(value) for value in case.get("args", [])), named


def test_calls_are_sent_as_they_must_be() -> None:
    count = 0
    for _, case in COMMANDS:
        for call in case.get("calls", []):
            args, named = options(call)
            count += 1
            if "error" in case:
                with pytest.raises(steadis.Error) as raised:
                    _steadis._encode(case["command"], args, named)
                assert raised.value.kind == case["error"]["kind"], call
                assert case["error"]["phrase"] in str(raised.value), call
                continue
            words = [raw(word) for word in case["argv"]]
            expected = b"*%d\r\n" % len(words)
            expected += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
            assert bytes(_steadis._encode(case["command"], args, named)) == expected, call
    assert count > 1000


def test_replies_become_the_same_values_in_both_protocols() -> None:
    count = 0
    for _, case in COMMANDS:
        args, named = options(case)
        for protocol in ("resp2", "resp3"):
            if protocol in case:
                value = _steadis._reply(case["command"], args, named, raw(case[protocol]))
                assert same(canonical(value), case["value"]), (case, protocol)
                count += 1
    assert count > 300


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name: messages cut long values."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "case", [case for _, case in CONFIGURATIONS], ids=[case["name"] for _, case in CONFIGURATIONS]
)
def test_settings_come_to_the_same(case: dict[str, Any], folder: Path) -> None:
    def placed(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{dir}", str(folder))
        if isinstance(value, dict):
            return {name: placed(it) for name, it in value.items()}
        return [placed(it) for it in value] if isinstance(value, list) else value

    for name, text in case.get("files", {}).items():
        (folder / name).write_text(text)
    case = placed(case)

    def resolve() -> Any:
        milliseconds = case.get("unit") == "ms"
        options = case.get("options", {})
        return _steadis._configuration(case.get("env", {}), case.get("url"), milliseconds, options)

    if "error" in case:
        with pytest.raises(steadis.Error) as raised:
            resolve()
        assert raised.value.kind == case["error"]["kind"]
        assert case["error"]["phrase"] in str(raised.value)
        return
    configuration, warnings = resolve()
    assert json.loads(configuration) == case["expect"]
    phrases = case.get("warnings", [])
    assert len(warnings) == len(phrases)
    assert all(any(phrase in warning for warning in warnings) for phrase in phrases)
