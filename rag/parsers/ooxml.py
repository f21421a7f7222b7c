"""Office Open XML packages: members, relationships, and XML read without entities.

Knows the package conventions (ECMA-376 part 2), no document format.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
# The strict variant (ISO 29500 strict) has other namespaces for the same vocabulary.
_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/math",
        b"http://schemas.openxmlformats.org/officeDocument/2006/math",
    ),
)


class Package:
    """An open package; use as a context manager."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = frozenset(archive.namelist())

    def xml(self, name: str) -> _Element | None:
        """Parse a member, without entities, network or unbounded depth; None where it is absent."""
        from lxml import etree

        if name not in self.names:
            return None
        data = self._archive.read(name)
        for strict, usual in _STRICT:
            data = data.replace(strict, usual)
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        )
        return etree.fromstring(data, parser)

    def related(self, part: str) -> dict[str, str]:
        """Return the members that a part ('' for the package) points to, by kind of relationship."""
        folder, name = posixpath.split(part)
        rels = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, str] = {}
        for relation in rels if rels is not None else ():
            if relation.get("TargetMode") == "External":
                continue
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/")
            found.setdefault(relation.get("Type", "").rsplit("/", 1)[-1], target)
        return found


def value(element: _Element | None, path: str, attribute: str = "val") -> str | None:
    """Return a w: attribute of a descendant (a/b/c, w: implied), None where either is missing."""
    found = child(element, path)
    return None if found is None else found.get(W + attribute)


def child(element: _Element | None, path: str) -> _Element | None:
    """Return the first descendant on a path of w: names."""
    if element is None:
        return None
    return element.find("/".join(W + step for step in path.split("/")))


def children(element: _Element | None, name: str) -> Iterator[_Element]:
    """Yield the w: children of a name."""
    if element is not None:
        yield from element.iterchildren(W + name)


def is_on(element: _Element | None) -> bool:
    """Tell whether an on/off property (w:vanish and the like) is set."""
    return element is not None and element.get(W + "val", "1") not in ("0", "false", "off", "none")


_DELETED = frozenset(
    W + name for name in ("del", "moveFrom", "sectPr", "pPr", "rPr", "tblPr", "trPr", "tcPr")
)


def content(parent: _Element) -> Iterator[_Element]:
    """Yield the children that count: no deletions, no properties, one branch of each alternative."""
    for element in parent:
        if element.tag == MC + "AlternateContent":
            branch = element.find(MC + "Choice")
            chosen = element.find(MC + "Fallback") if branch is None else branch
            if chosen is not None:
                yield from content(chosen)
        elif element.tag not in _DELETED:
            yield element
