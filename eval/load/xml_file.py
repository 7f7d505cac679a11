"""The score element of a MusicXML file, plain or zipped, opened without trust."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from concours.eval.load.loaded import LoadError

MAX_BYTES = 16 << 20


def score_of(data: bytes) -> Element:
    """The ``score-partwise`` element.

    Raises:
        LoadError: a damaged zip or XML, over 16 MiB unpacked, entities, or another root element.
    """
    text = _unzipped(data) if data[:4] == b"PK\x03\x04" else data
    if len(text) > MAX_BYTES:
        raise LoadError(f"over {MAX_BYTES >> 20} MiB of XML: split the score")
    if b"<!ENTITY" in text.replace(b"\x00", b""):
        raise LoadError("the XML declares entities, which no score needs: remove them")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise LoadError(f"not well-formed XML: {error}") from error
    if root.tag == "score-timewise":
        raise LoadError("a timewise score: export it as partwise MusicXML")
    if root.tag != "score-partwise":
        raise LoadError(f"XML of kind <{root.tag[:40]}>, not a MusicXML score")
    return root


def _unzipped(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _score_name(archive))
    except LoadError:
        raise
    except Exception as error:  # zipfile raises many kinds on damaged archives
        raise LoadError(f"a damaged MXL (zip) file: {error}") from error


def _score_name(archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        container = _member(archive, "META-INF/container.xml")
        if b"<!ENTITY" not in container:
            for element in ElementTree.fromstring(container).iter():
                path = element.get("full-path")
                if element.tag.endswith("rootfile") and path in names:
                    return str(path)
    for name in names:
        if name.lower().endswith((".musicxml", ".xml")) and not name.startswith("META-INF"):
            return name
    raise LoadError("this MXL (zip) file holds no MusicXML score")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:  # the stated size may lie: read no more than the limit
        content = member.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise LoadError(f"over {MAX_BYTES >> 20} MiB of XML once unpacked: split the score")
    return content
