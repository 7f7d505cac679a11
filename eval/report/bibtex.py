"""A BibTeX block for the works behind the metrics of a report.

Citations are written in the code as ``Authors Year (Name), title or doi:… or arXiv:…``, several
of them divided by semicolons; words before the authors ("…, after Yang & Lerch 2020") are ours.
Works that :mod:`concours.eval.report.works` knows get their full entry, others what the citation
tells. What names no author with a year, no identifier and no standard is no work.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from concours.eval.report.latex import escaped
from concours.eval.report.model import Column, Report
from concours.eval.report.works import PLACES, WORKS, Work

_FORM = re.compile(
    r"(?P<authors>[^\d;()]+?),? \(?(?P<year>(?:1[5-9]|20)\d\d)[a-z]?\)?(?: \((?P<name>[^)]*)\))?"
    r"(?:,\s*(?P<rest>.*))?"
)
_STANDARD = re.compile(r"(?:ITU|EBU|ISO|IEC|AES|MIREX)\b")
_DOI = re.compile(r"\bdoi:\s*(10\.\d{4,9}/\S+?)(?=[,;]?(?:\s|$))", re.IGNORECASE)
_ARXIV = re.compile(r"\barXiv:\s*(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+/\d{7})", re.IGNORECASE)


def to_bibtex(report: Report) -> str:
    """One entry a work, sorted by key, each naming the metrics that rest on it; "" without any."""
    columns: dict[str, Column] = {}
    for benchmark in report.benchmarks:
        for column in benchmark.columns:
            columns.setdefault(column.name, column)
    works: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for name in sorted(columns):
        for work in _works(columns[name].citation):
            identity = full.title if (full := _known(work)) else work
            cited = first.setdefault(identity, work)
            if _more_told(work) > _more_told(cited):  # one with an identifier says more
                works[work] = works.pop(cited, [])
                first[identity] = cited = work
            if name not in works.setdefault(cited, []):
                works[cited].append(name)
    return "\n".join(f"{entry}\n" for entry in _entries(works))


def _more_told(work: str) -> int:
    return len(_DOI.findall(work)) + len(_ARXIV.findall(work))


def _known(work: str) -> Work | None:
    """The full entry of a work that we know: its first author, its year, and every author that
    the citation names must agree."""
    form = _FORM.fullmatch(work)
    if form is None:
        return None
    named = _authors(form["authors"]).split(" and ")
    full = WORKS.get((named[0], int(form["year"])))
    if full is None:
        return None
    surnames = [author.partition(",")[0] for author in full.author.split(" and ")]
    if named[-1] == "others":
        agree = len(surnames) > 2 or surnames[-1] == "others"
        named = named[:-1]
    else:
        agree = len(named) == len(surnames)
    return full if agree and set(named) <= set(surnames) else None


def _works(citation: str) -> Iterable[str]:
    """The works of a citation, without the words that are ours."""
    for part in citation.split(";"):
        text = " ".join(part.split()).rstrip(".")
        text = re.sub(r"^[^()\d]*\b(?:after|by|of) (?=[A-Z])", "", text)
        text = re.sub(r"^(?:[a-z-]+ )+[a-z-]+, (?=[A-Z])", "", text)
        text = re.sub(r"^[^()\d,]+(?: [^()\d,]+){3,}, (?=[A-Z][^,]*\d{4})", "", text)
        if text and (_FORM.fullmatch(text) or _more_told(text) or _STANDARD.match(text)):
            yield text


def _entries(works: dict[str, list[str]]) -> list[str]:
    """The entries under keys that are made distinct by a, b, c …"""
    stems = {work: _stem(work) for work in works}
    entries = []
    for work in sorted(works, key=lambda w: (stems[w], w)):
        alike = sorted(w for w in works if stems[w] == stems[work])
        suffix = _letter(alike.index(work)) if len(alike) > 1 else ""
        entries.append(_entry(stems[work] + suffix, work, works[work]))
    return entries


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else f"-{index + 1}"


def _stem(work: str) -> str:
    """First author and year in plain letters, as in ``yang2020``."""
    form = _FORM.fullmatch(work)
    if form is None:
        return _ascii(work.split(",", maxsplit=1)[0])[:24] or "work"
    first = re.split(r",| & | and | et al", form["authors"])[0]
    return (_ascii(first) or "work") + form["year"]


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def _entry(key: str, work: str, metrics: list[str]) -> str:
    fields: dict[str, str] = {}
    form = _FORM.fullmatch(work)
    full = _known(work)
    if full is not None and form is not None:
        fields = {"author": escaped(full.author), "title": _braced(full.title)}
        if full.place:
            fields[PLACES[full.kind]] = escaped(full.place)
        fields["year"] = form["year"]
        told = {"volume": full.volume, "number": full.number, "pages": full.pages}
        fields |= {k: v for k, v in told.items() if v}
    elif form is not None:
        rest = form["rest"] or ""
        fields["author"] = _authors(form["authors"])
        title = re.sub(r"[\s,]+$", "", _ARXIV.sub("", _DOI.sub("", rest))).strip(" ,")
        if title or form["name"]:
            fields["title"] = _braced(title or form["name"])
        fields["year"] = form["year"]
    else:
        fields |= {"key": escaped(work), "title": _braced(work)}  # a key: it has no author
    if doi := _DOI.search(work):
        fields["doi"] = doi[1]
    if arxiv := _ARXIV.search(work):
        fields |= {"eprint": arxiv[1], "archiveprefix": "arXiv"}
    fields["note"] = escaped(f"Metrics: {', '.join(metrics)}")
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
    return f"@{full.kind if full else 'misc'}{{{key},\n" + ",\n".join(lines) + "\n}"


def _braced(title: str) -> str:
    """A title whose capitals BibTeX leaves alone; braces of its own would unbalance it."""
    return f"{{{escaped(re.sub('[{}]', '', title))}}}"


def _authors(text: str) -> str:
    """Authors as BibTeX divides them.

    >>> _authors("Papadopoulos, Roy & Pachet"), _authors("Dong et al.")
    ('Papadopoulos and Roy and Pachet', 'Dong and others')
    """
    named = re.sub(r",? et al\.?$", " & others", text.strip())
    return " and ".join(
        p if p == "others" else escaped(p) for p in re.split(r",\s*(?:and )?| & | and ", named) if p
    )
