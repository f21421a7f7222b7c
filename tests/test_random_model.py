"""A real model behind a real server that knows nothing: nothing it says may come out as an answer."""

from pathlib import Path

import pytest
from test_model import QUESTION, over_model

KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"

random_model_server = pytest.importorskip(
    "random_model_server", reason="transformers, fastapi or uvicorn is missing", exc_type=ImportError
).random_model_server


def test_what_a_model_with_random_weights_says_is_never_a_cited_answer(knowledge_base):
    texts = [path.read_text(encoding="utf-8") for path in sorted(KNOWLEDGE.glob("*.md"))]
    with random_model_server(texts) as (said, url):
        assistant = over_model(knowledge_base, url, timeout_s=60.0)
        answers = [assistant.answer(question) for question in (QUESTION, "校长要向谁报告工作？")]
        assistant.close()
    assert len(said) == 2 and all(len(text) > 20 for text in said)
    for answer in answers:
        # Either nothing of it holds, and the answer comes without the model and says so, or the claims are struck.
        claims = [s for s in answer.sentences if s.support in ("quoted", "paraphrased")]
        assert answer.model is None and "大模型这次没有答成" in answer.answer and "没有依据" in answer.answer
        for sentence in claims:
            assert sentence.text not in said[0] + said[1] and sentence.citations
        for citation in answer.citations:
            original = knowledge_base.source(citation.source_id).original
            assert citation.quote == original[citation.start : citation.end]
