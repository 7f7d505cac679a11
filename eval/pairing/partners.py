"""Pairing: which ground truth, target or prompt belongs to which item.

Conventions
-----------
- Names match by the path inside the folder without its ending, and where none does, by the file's
  name without its ending if that is unique on both sides. A tune of an ABC file matches the tune
  of the same number, or a file that holds one tune only.
- An item that nothing matches keeps a partner that is a reason: its pair metrics are undefined. A
  table that names an item that is not there is an error, and so is one that matches nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from concours.eval.errors import UsageError
from concours.eval.items import Item, Partner, find_items
from concours.eval.load import kind_of
from concours.eval.pairing.tables import Row, read_rows, target_text
from concours.metrics.prompt import target_from_prompt
from concours.metrics.target_table import field_named, target_from

Role = Literal["truth", "target", "prefix"]
ANY = ""
ITEM_COLUMNS = ("path", "item", "file", "name")
TRUTH_COLUMNS = ("ground_truth", "truth", "reference", "target")


def with_ground_truth(items: list[Item], source: str, folder: Path | None = None) -> list[Item]:
    """The items, each with the piece or clip that it should be.

    ``source`` is a folder or glob whose files are named as the items are, one file for all items,
    or a CSV or JSON table with the columns ``path`` and ``ground_truth`` (relative to the table).

    Raises:
        UsageError: nothing there, or nothing that belongs to an item.
    """
    place = (folder or Path()) / Path(source).expanduser()
    if not is_table(source):
        return _by_name(items, source, folder, "truth")
    found: dict[int, Partner] = {}
    for row in read_rows(place):
        name = _column(row, ITEM_COLUMNS)
        truth = _column(row, TRUTH_COLUMNS)
        if not name or not truth:
            raise UsageError(f"{row.place}: a row needs a path and a ground_truth")
        for i in items_named(items, str(name), row.place):
            found[i] = _file_partner("truth", str(truth), place.parent, row.place)
    return _filled(items, found, "truth", f"{source} has no row for it")


def with_targets(items: list[Item], source: str, folder: Path | None = None) -> list[Item]:
    """The items, each with what was asked of it.

    ``source`` is a CSV or JSON file: one table of attributes for all items, or one for each
    (a column ``path``, or a mapping by path), where a ``prompt`` stands for what it says; or music
    whose attributes are asked for, named as in :func:`with_ground_truth`.

    Raises:
        UsageError: nothing there, or an attribute that can't be read, with its line.
    """
    place = (folder or Path()) / Path(source).expanduser()
    if not is_table(source):
        return _by_name(items, source, folder, "target")
    found: dict[int, Partner] = {}
    for row in read_rows(place):
        name = _column(row, ITEM_COLUMNS)
        asked = {k: v for k, v in row.values.items() if k.strip().lower() not in ITEM_COLUMNS}
        partner = Partner("target", row.place, table=_table_of(asked, row.place, strict=True))
        which = items_named(items, str(name), row.place) if name else range(len(items))
        for i in which:
            found.setdefault(i, partner)
            if name:
                found[i] = partner
    return _filled(items, found, "target", f"{source} has no row for it")


def with_prompts(items: list[Item], table: Path) -> list[Item]:
    """The items with the prompts of a CSV or JSON table that has columns ``path`` and ``prompt``.

    A prompt that is a music file (relative to the table) is a prefix; one in words is read for what
    it asks (:mod:`concours.metrics.prompt`), and columns of attributes add to it.

    Raises:
        UsageError: the file is missing, lacks a column, or names a path that no item has.
    """
    rows = read_rows(table)
    if not rows or any(_column(r, ITEM_COLUMNS) is None or "prompt" not in r.values for r in rows):
        raise UsageError(f"{table}: a table of prompts needs a row and the columns path, prompt")
    found = dict(enumerate(items))
    for row in rows:
        text = str(row.values["prompt"] or "")
        for i in items_named(items, str(_column(row, ITEM_COLUMNS)), row.place):
            found[i] = _prompted(found[i], text, row, table.parent)
    return [found[i] for i in range(len(items))]


def is_table(source: str) -> bool:
    """Whether a source of partners is a table, not music."""
    return Path(source).suffix.lower() in (".csv", ".json")


def together(
    systems: Mapping[str, list[Item]], pair: Callable[[list[Item]], list[Item]]
) -> dict[str, list[Item]]:
    """What ``pair`` makes of the items of all systems at once, by system."""
    paired = iter(pair([i for items in systems.values() for i in items]))
    return {name: [next(paired) for _ in items] for name, items in systems.items()}


def prompt_of(items: list[Item], prompt: str) -> list[Item]:
    """The items, all of them answers to one prompt: words, or the path of a music file."""
    row = Row("--prompt", {"prompt": prompt})
    return [_prompted(i, prompt, row, Path()) for i in items]


def _prompted(item: Item, text: str, row: Row, folder: Path) -> Item:
    stated = {k: v for k, v in row.values.items() if field_named(k)}
    answer = replace(item, prompt=text)
    if _is_music(text, folder, row.place):
        answer = _with(answer, _file_partner("prefix", text, folder, row.place))
    elif text:
        stated["prompt"] = text
    if any(v not in (None, "") for v in stated.values()):
        asked = _table_of(stated, row.place, strict=False)
        answer = _with(answer, Partner("target", text or row.place, table=asked))
    return answer


def _is_music(text: str, folder: Path, place: str) -> bool:
    """Whether a prompt is the path of a music file.

    Raises:
        UsageError: it looks like one, and there is no such file.
    """
    if not text or len(text) > 1000 or "\n" in text or kind_of(Path(text)) is None:
        return False
    if (folder / Path(text).expanduser()).is_file():
        return True
    if len(text.split()) == 1:
        raise UsageError(f"{place}: there is no file {text} in {folder.absolute()}")
    return False


def _table_of(asked: Mapping[str, Any], place: str, *, strict: bool) -> str:
    """Attributes, and what a prompt among them asks for, as canonical JSON."""
    stated = dict(asked)
    prompt = stated.pop("prompt", None)
    try:
        own = target_from(stated)
        return target_text(own, target_from_prompt(str(prompt)) if prompt else None)
    except ValueError as error:
        hint = "; other columns belong into a table of prompts" if strict and prompt else ""
        raise UsageError(f"{place}: {error}{hint}") from error


def _column(row: Row, names: Sequence[str]) -> Any:
    """The first of these columns that the row fills."""
    plain = {k.strip().lower(): v for k, v in row.values.items()}
    return next((plain[n] for n in names if plain.get(n) not in (None, "")), None)


def _by_name(items: list[Item], source: str, folder: Path | None, role: Role) -> list[Item]:
    partners = find_items(source, folder)
    place = (folder or Path()) / Path(source).expanduser()
    if place.is_file() and len(partners) == 1:
        return [_with(i, _of_item(role, partners[0])) for i in items]
    names = _Names(partners)
    own = Counter((i.kind, _stem(i.path)) for i in items)
    found: dict[int, Partner] = {}
    for n, item in enumerate(items):
        match = names.of(item, alone=own[item.kind, _stem(item.path)] == 1)
        if match is not None:
            found[n] = _of_item(role, match)
    if not found:
        raise UsageError(
            f"{source}: none of its {len(partners)} pieces is named as one of the {len(items)} "
            f"items (the first are {partners[0].path} and {items[0].path}); name them alike, or "
            "give a CSV with the columns path, ground_truth"
        )
    return _filled(items, found, role, f"no piece of this name in {source}")


class _Names:
    """Pieces by their names; of several of one name none is found."""

    def __init__(self, pieces: Sequence[Item]) -> None:
        self._kinds = {p.kind for p in pieces}
        self._found: dict[tuple[str, bool, str], list[Item]] = {}
        for p in pieces:
            for whole in (True, False):
                for kind in (p.kind, ANY):
                    self._found.setdefault((kind, whole, _stem(p.path, whole)), []).append(p)

    def of(self, item: Item, *, alone: bool) -> Item | None:
        """The piece named as the item; by the bare name only where the item is ``alone`` in it."""
        # notes are held against notes where there are both
        kind = item.kind if item.kind in self._kinds else ANY
        keys = [(True, _stem(item.path, whole=True))]
        if alone:
            keys += [(False, _stem(item.path)), (False, _stem(_file(item)))]
        for whole, name in keys:
            pieces = self._found.get((kind, whole, name), [])
            if pieces:
                return pieces[0] if len(pieces) == 1 else None
        return None


def unanswered(items: Iterable[Item], source: str, folder: Path | None = None) -> list[str]:
    """The pieces of a folder of ground truths that no item answers."""
    place = (folder or Path()) / Path(source).expanduser()
    if place.is_file():
        return []
    used = {(p.location, p.fragment) for i in items for p in i.partners}
    return [p.path for p in find_items(source, folder) if (str(p.location), p.fragment) not in used]


def _stem(path: str, whole: bool = False) -> str:
    """``a/b.mid`` as ``a/b`` or ``b``, ``t.abc#X:2`` as ``t#X:2``."""
    file, mark, fragment = path.partition("#")
    above, slash, name = file.rpartition("/")
    plain = name.rpartition(".")[0] or name
    return f"{above}{slash}{plain}{mark}{fragment}" if whole else f"{plain}{mark}{fragment}"


def _tail(item: Item) -> str:
    return f"#{item.fragment}" if item.fragment else ""


def _file(item: Item) -> str:
    return item.path.partition("#")[0]


def items_named(items: Sequence[Item], name: str, place: str) -> list[int]:
    """The items of this path, or of this name without folder and ending."""
    tests: tuple[Callable[[Item], bool], ...] = (
        lambda i: i.path == name,
        lambda i: _file(i) == name,
        lambda i: f"{i.location.as_posix()}{_tail(i)}".endswith(f"/{name.removeprefix('./')}"),
        lambda i: name in (_stem(i.path, whole=True), _stem(i.path)),
        lambda i: _stem(i.path, whole=True) == _stem(name, whole=True),
        lambda i: _stem(i.path) == _stem(name),
    )
    for test in tests:
        found = [n for n, i in enumerate(items) if test(i)]
        if found:
            return found
    raise UsageError(f"{place}: no item is called {name} (the first is {items[0].path})")


def _file_partner(role: Role, text: str, folder: Path, place: str) -> Partner:
    file, _, fragment = text.partition("#")
    try:
        found = find_items(file, folder)
    except UsageError as error:
        return Partner(role, text, reason=f"{place}: {error}")
    chosen = [f for f in found if f.fragment == fragment] if fragment else found
    if len(chosen) != 1:
        raise UsageError(f"{place}: {text} stands for {len(chosen)} pieces; name one (FILE#X:1)")
    return replace(_of_item(role, chosen[0]), name=text)


def _of_item(role: Role, item: Item) -> Partner:
    reason = f"{item.path} {item.reason}" if item.sha256 is None else ""
    return Partner(
        role, item.path, str(item.location), item.fragment, item.kind, item.sha256 or "",
        reason=reason,
    )  # fmt: skip


def _with(item: Item, partner: Partner) -> Item:
    others = tuple(p for p in item.partners if p.role != partner.role)
    return replace(item, partners=(*others, partner))


def _filled(items: list[Item], found: Mapping[int, Partner], role: Role, reason: str) -> list[Item]:
    missing = Partner(role, "", reason=reason)
    return [_with(item, found.get(n, missing)) for n, item in enumerate(items)]
