"""YAML whose every node knows its line and column, for configs that report faults by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from concours.eval.errors import ConfigError


def read_placed(text: str, name: str, expected: str) -> Mapping[Any, Any]:
    """The mapping in a YAML text; ``name`` stands in the messages, ``expected`` says what belongs
    there.

    Raises:
        ConfigError: it is no YAML, or no mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise ConfigError(f"{name}:{where}: {error.problem or error.context}") from error
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{name}:1:1: {expected} belong here")
    return tree


def place(tree: Any, loc: tuple[Any, ...]) -> str:
    """line:column, counted from 1, of the deepest node on the way to ``loc``."""
    line, column = 0, 0
    node = tree
    for part in loc:
        marks = getattr(node, "lc", None)
        if marks is None:
            break
        try:
            line, column = (marks.key if isinstance(node, Mapping) else marks.item)(part)
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return f"{line + 1}:{column + 1}"


def plain(node: Any) -> Any:
    """ruamel's round-trip types as plain dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {str(k): plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [plain(v) for v in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
