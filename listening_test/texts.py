"""What raters read, in their language: one YAML file a language in ``texts/``, or the study's own.

English is complete; a key that another file lacks falls back to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from concours.eval.errors import UsageError

LANGUAGES = ("en", "zh", "de", "fr")

Texts = Mapping[str, str]


def load_texts(path: Path) -> dict[str, str]:
    """A text file: a mapping of keys to texts.

    Raises:
        UsageError: no such file, no mapping, or a key that English does not have.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: a text file maps keys to texts")
    unknown = sorted(set(found) - set(bundled("en")))
    if unknown:
        raise UsageError(f"{path}: no such text: {', '.join(unknown)}")
    return {str(k): str(v) for k, v in found.items()}


@cache
def bundled(language: str) -> dict[str, str]:
    """The texts of a language that comes with Concours."""
    from ruamel.yaml import YAML

    source = files("concours.listening_test").joinpath("texts", f"{language}.yaml")
    found: dict[str, str] = YAML(typ="safe").load(source.read_text(encoding="utf-8"))
    return found


def available(config: Mapping[str, Any]) -> dict[str, str]:
    """Codes of the study's languages and their own names."""
    own = config.get("texts", {})
    codes = list(dict.fromkeys([*LANGUAGES, *own]))
    return {code: texts_for(config, code).get("language_name", code) for code in codes}


def texts_for(config: Mapping[str, Any], language: str) -> dict[str, str]:
    """All texts in a language, English where one is missing."""
    texts = dict(bundled("en"))
    if language in LANGUAGES:
        texts |= bundled(language)
    return texts | dict(config.get("texts", {}).get(language, {}))


def in_language(text: Mapping[str, str] | str | None, language: str, default: str = "") -> str:
    """A text of the study's own, written once or by language."""
    if text is None:
        return default
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), default)


def plain_markdown(text: str) -> str:
    """A text that Streamlit shows as it is where it would read Markdown.

    >>> plain_markdown("*A*")
    '\\\\*A\\\\*'
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~$:])", r"\\\1", text).replace("\\: ", ": ")
