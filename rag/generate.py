"""An answer from a language model: prompt, stream, then every sentence checked.

The evidence is numbered and fenced as data. What comes back is split into
sentences; each keeps only citations that support it, and what nothing
supports is set apart under a warning. Knows no provider, only `ChatModel`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import sentences as split
from rag.authority import LABELS, of_sentence
from rag.cite import Citations
from rag.protocols import ChatModel, SourceReader
from rag.types import Hit, Sentence, Support
from rag.verify import coverage, support

PASSAGES = 6
_MARKER = re.compile(r"[\[［【]\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)\s*[\]］】]")
_OPEN_MARKER = re.compile(r"[\[［【][^\]］】\n]{0,12}$")
_MARKUP = re.compile(r"!?\[([^\[\]\n]{0,200})\]\([^()\n]{0,500}\)|<[^<>\n]{1,300}>|https?://[^\s）)]{1,300}")
_ABSENT = re.compile(r"资料(?:里|中)?(?:并)?(?:没有|未)(?:写|提到|说明|涉及|明确|找到|规定)")
_LEAD = re.compile(r"^[\s\-*#>•]+|^\s*\d{1,2}[.、]\s*")
MAX_REPLY = 8000  # code points; a model that does not stop is cut here


@dataclass(frozen=True, slots=True)
class Generated:
    """A verified reply: its Markdown, its sentences, and what had to be struck."""

    markdown: str
    sentences: tuple[Sentence, ...]
    struck: tuple[str, ...] = ()
    absent: bool = False


def prompt(question: str, hits: Sequence[Hit], reader: SourceReader) -> str:
    """Return the user message: numbered evidence, fenced, then the question."""
    parts = []
    for number, hit in enumerate(hits[:PASSAGES], 1):
        source = reader.source(hit.chunk.source_id)
        label = LABELS[of_sentence(source.metadata.authority, hit.chunk.text)]
        head = f"[{number}] 《{source.title}》{hit.chunk.locator}（{label}）"
        body = hit.chunk.text.strip().replace("<<<", "＜＜＜").replace(">>>", "＞＞＞")
        parts.append(f"{head}\n<<<资料开始\n{body}\n资料结束>>>")
    return "\n\n".join(["资料：", *parts, f"问题：{question}"])


def stream(model: ChatModel, system: str, user: str) -> Iterator[str]:
    """Yield the reply in pieces that never end inside a marker; stop at MAX_REPLY."""
    held = ""
    length = 0
    for piece in model.stream(system, user):
        held += piece
        length += len(piece)
        cut = _OPEN_MARKER.search(held)
        ready = held[: cut.start()] if cut else held
        if ready:
            yield ready
            held = held[len(ready) :]
        if length >= MAX_REPLY:
            break
    if held:
        yield held


def check(reply: str, hits: Sequence[Hit], reader: SourceReader, citations: Citations) -> Generated:
    """Verify a reply against the evidence its markers name."""
    lines: list[str] = []
    sentences: list[Sentence] = []
    struck: list[str] = []
    absent = False
    for text, numbers in said(reply):
        if _ABSENT.search(text):
            absent = True
            sentences.append(Sentence(text, "notice"))
            lines.append(text)
            continue
        cited = [hits[n - 1] for n in numbers if 1 <= n <= min(len(hits), PASSAGES)]
        cited, found = _supporting(text, cited)
        if not cited:
            struck.append(text)
            sentences.append(Sentence(text, "unsupported"))
            continue
        markers = tuple(dict.fromkeys(_cite(text, hit, reader, citations) for hit in cited))
        sentences.append(Sentence(text, found, markers))
        lines.append(f"- {text}" + "".join(f"[{m}]" for m in markers))
    return Generated("\n".join(lines), tuple(sentences), tuple(struck), absent)


def said(reply: str) -> Iterator[tuple[str, list[int]]]:
    """Yield each sentence of a reply, without markup and markers, and the numbers it cites.

    >>> list(said("书记召集。【1】校长执行[2,3]。"))
    [('书记召集。', [1]), ('校长执行。', [2, 3])]
    """
    reply = _MARKER.sub(lambda m: "".join(f"[{n}]" for n in re.findall(r"\d+", m[1])), reply)
    reply = re.sub(r"([。！？!?；;])((?:\[\d+\])+)", r"\2\1", reply)
    reply = _MARKUP.sub(lambda m: m[1] or "", reply)
    for start, end in split.sentences(reply):
        piece = reply[start:end]
        numbers = [int(n) for n in re.findall(r"\[(\d+)\]", piece)]
        text = _LEAD.sub("", re.sub(r"\[\d+\]", "", piece)).replace("**", "").strip()
        if re.search(r"\w", text):
            yield text, list(dict.fromkeys(numbers))


def _supporting(text: str, cited: Sequence[Hit]) -> tuple[list[Hit], Support]:
    """Return the cited passages that support a sentence, none where they do not, and how far they do.

    Those that support it alone; else those without which the others do not.
    """
    alone = [(hit, support(text, hit.chunk.text)) for hit in cited]
    kept = [hit for hit, found in alone if found != "unsupported"]
    if kept:
        return kept, "quoted" if ("quoted" in (found for _, found in alone)) else "paraphrased"
    found = _together(text, cited)
    if found == "unsupported":
        return [], found
    kept = list(cited)
    for hit in cited:
        others = [other for other in kept if other is not hit]
        if _together(text, others) != "unsupported":
            kept = others
    return kept, found


def _together(text: str, hits: Sequence[Hit]) -> Support:
    return support(text, "\n".join(hit.chunk.text for hit in hits))


def _cite(text: str, hit: Hit, reader: SourceReader, citations: Citations) -> int:
    """Cite the sentence of a passage that supports the text, or else comes nearest to it."""
    source = reader.source(hit.chunk.source_id)
    spans = split.sentences(source.clean, hit.chunk.start, hit.chunk.end)

    def fit(span: split.Span) -> tuple[bool, float]:
        sentence = source.clean[slice(*span)]
        return support(text, sentence) != "unsupported", coverage(text, sentence)

    return citations.add(source, *max(spans, key=fit), score=hit.score)
