"""A question limited to a collection is answered as if the rest of the library were not there."""

import shutil
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.config import Settings
from rag.limited import KEPT, Limited, Views

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "党组织会议要多少人到会才能开？",
    "组织生活会多久开一次？",
    "支部换届几年一次？",
    "书记不在谁主持党员大会？",
    "谁讲党课？",
)


def indexed(folder, names):
    """An assistant over some of the bundled documents and, beside them, fifty that use the same words."""
    documents = folder / "documents"
    documents.mkdir(parents=True)
    for name in names:
        shutil.copy(ROOT / "knowledge" / name, documents)
    assistant = Assistant(Settings(data_dir=folder / "data", knowledge_dir=documents, llm="off"))
    assistant.index()
    return assistant


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    assistant = indexed(tmp_path_factory.mktemp("alone"), ["07-branch-life.md"])
    yield assistant
    assistant.close()


@pytest.fixture(scope="module")
def among(tmp_path_factory):
    folder = tmp_path_factory.mktemp("among")
    assistant = indexed(folder, sorted(path.name for path in (ROOT / "knowledge").glob("*.md")))
    more = folder / "more"
    more.mkdir()
    for number in range(50):  # each nearer to a question by its words than what answers it
        text = "\n\n".join(f"{question}第{number}号问卷。" for question in QUESTIONS)
        (more / f"{number}.txt").write_text(text, encoding="utf-8")
    assistant.index([more])
    yield assistant
    assistant.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_limited_to_a_document_the_hits_are_those_of_this_document_alone(alone, among, question):
    generation = among.search_index.current()
    wanted = [stamp.id for stamp in among.stamps() if stamp.name == "07-branch-life.md"]
    view = Views().of(generation, wanted)
    found = Limited(among.retriever, view).retrieve(question, k=8)
    expected = alone.retriever.retrieve(question, k=8)
    assert [(hit.chunk.id, hit.sentence) for hit in found] == [(h.chunk.id, h.sentence) for h in expected]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-3)
    whole = among.retriever.retrieve(question, k=32)
    assert not any(hit.chunk.source_id in wanted for hit in whole)  # sifting these would have left nothing


def test_question_to_a_collection_is_answered_from_it(alone, among):
    (document,) = [stamp for stamp in among.stamps() if stamp.name == "07-branch-life.md"]
    among.documents.correct(document.id, collection="党建")
    for question in QUESTIONS:
        limited, expected = among.answer(question, collection="党建"), alone.answer(question)
        assert (limited.status, limited.answer) == (expected.status, expected.answer)
        assert {citation.source_id for citation in limited.citations} <= {document.id}


def test_views_of_the_generation_in_use_are_kept_and_no_more_than_a_few(among):
    views, generation = Views(), among.search_index.current()
    ids = [stamp.id for stamp in among.stamps()]
    first = views.of(generation, ids[:1])
    assert views.of(generation, [ids[0], ids[0]]) is first
    for number in range(KEPT):
        views.of(generation, ids[number + 1 : number + 3])
    assert views.of(generation, ids[:1]) is not first
    assert not views.of(generation, ()).neighbours(among.encoder.encode_query("会议"), 5)
