"""An outline from a genre, a role and retrieved evidence, with or without a model.

Every policy point is an exact sentence with its citation; the writer's own
experience is asked for, never made up. With a model the points are its
wording, checked; without one, or when it fails, they are composed. Knows no
provider and no file format.
"""

from __future__ import annotations

from rag.errors import HeldBack, ModelFailed
from rag.outline_choice import Draw
from rag.outline_evidence import Evidence
from rag.outline_points import Maker, assemble
from rag.outline_request import Frame, frame
from rag.protocols import ChatModel, Retriever, SourceReader
from rag.types import DraftRequest, Outline, OutlineSection


def compose(
    request: DraftRequest,
    *,
    retriever: Retriever,
    reader: SourceReader,
    model: ChatModel | None = None,
) -> Outline:
    """Draft an outline; without a model, or where it fails, from the evidence alone.

    Raises: BadRequest: the topic, genre, role or length cannot be used.
    """
    made = frame(request)
    composed, evidence = _composed(made, retriever, reader)
    if model is None or not evidence.used:
        return composed
    from rag.outline_model import rewrite

    try:
        return rewrite(composed, made, evidence, model)
    except (ModelFailed, HeldBack) as err:
        reason = err.values.get("reason", "原因不明")
        note = f"大模型这次没有写成（{reason}），以下提纲不用模型、直接由资料列出。"
        if isinstance(err, HeldBack):
            note = err.notice
        return assemble(
            made, composed.thesis, composed.sections, composed.citations, [note, *composed.warnings]
        )


def lengths(made: Frame) -> list[int]:
    """Share the budget among the sections, in whole tens; they sum to the budget."""
    shares = [round(made.length * part.share / 10) * 10 for part in made.genre.sections]
    return [*shares[:-1], max(10, made.length - sum(shares[:-1]))]


def _composed(made: Frame, retriever: Retriever, reader: SourceReader) -> tuple[Outline, Evidence]:
    evidence = Evidence(made, retriever, reader)
    draw = Draw(made.request.seed, made.key)
    maker = Maker(made, evidence, draw)
    sections = []
    for number, (part, length) in enumerate(zip(made.genre.sections, lengths(made), strict=True), 1):
        heading = made.fill(draw.next(part.headings, part.headings))
        sections.append(OutlineSection(heading, maker.points(part, heading, length), length, number))
    warnings = [*made.warnings, *_about(evidence, maker), *_from_genre(made)]
    return assemble(made, made.thesis, sections, evidence.citations.listed(), warnings), evidence


def _about(evidence: Evidence, maker: Maker) -> list[str]:
    """What the reader must know of the evidence."""
    if not evidence.used:
        return ["知识库里没有找到与这个主题有关的内容，提纲里没有政策要点；请先放入相关文件，或换一个说法。"]
    found = []
    opinions = sum(passage.authority == "author" for passage in evidence.used)
    if opinions:
        found.append(f"有{opinions}处标明“作者观点”，是文章作者的看法，不能当作中央文件的规定引用。")
    unmarked = sum(not passage.authority for passage in evidence.used)
    if unmarked:
        found.append(f"有{unmarked}处资料没有注明是文件还是个人文章，引用前请核对出处。")
    if maker.lacking:
        found.append(f"这几部分没有找到依据，留了空：{'、'.join(maker.lacking)}。")
    return found


def _from_genre(made: Frame) -> list[str]:
    prepare = f"动笔前请备好：{'；'.join(made.genre.prepare)}。"
    return [prepare, *made.genre.warnings] if made.genre.prepare else list(made.genre.warnings)
