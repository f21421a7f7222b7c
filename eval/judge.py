"""A model as judge: faithfulness and relevancy in the manner of ragas (Es et al. 2023), in Chinese.

A judgement that fails (no reply, no JSON, a wrong count) is unscored, never
0: a judge's failure says nothing of the answer. Prompts stand in prompts/.
Knows outcomes, a chat model and a measure of likeness of questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.matching import plain
from eval.outcome import Outcome, Score
from rag.errors import BadRequest, HeldBack, ModelFailed
from rag.prompting import render
from rag.protocols import ChatModel

FAITHFULNESS, RELEVANCY = "judged_faithfulness", "judged_relevancy"
QUESTIONS = 3  # asked back from an answer; ragas's `strictness`
MAX_REPLY = 20_000  # code points; a judge that goes on is cut off and fails
_JSON = re.compile(r"\{.*\}", re.DOTALL)
Likeness = Callable[[str, Sequence[str]], Sequence[float]]


class _NoJudgement(ValueError):
    """The judge's reply cannot be used; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges outcomes with a model; `likeness` compares a question with others, -1 to 1 each."""

    model: ChatModel
    likeness: Likeness

    def __call__(self, outcome: Outcome) -> Mapping[str, Score]:
        """Return both judgements of an outcome."""
        if outcome.status != "answered":
            return {name: Score(None, "没有作出回答") for name in (FAITHFULNESS, RELEVANCY)}
        return {
            FAITHFULNESS: self._judged(self._faithfulness, outcome),
            RELEVANCY: self._judged(self._relevancy, outcome),
        }

    def _judged(self, measure: Callable[[Outcome], Score], outcome: Outcome) -> Score:
        try:
            return measure(outcome)
        except (HeldBack, ModelFailed, _NoJudgement) as err:
            return Score(None, f"评判失败：{err}")

    def _faithfulness(self, outcome: Outcome) -> Score:
        """Supported statements over all statements that the judge finds in the answer.

        As in ragas: the answer is first split into statements that stand for
        themselves, then each is judged against the contexts. The contexts
        here are the quotes that the answer shows, not all that was retrieved:
        the reader can check only these.
        """
        if not outcome.citations:
            return Score(None, "没有引用出处")
        said = {"question": _question(outcome), "answer": plain(outcome.text)}
        statements = _texts(self._reply("judge_statements", said), "statements")
        if not statements:
            return Score(None, "评判认为回答里没有陈述")
        quotes = "\n".join(f"[{c.marker}] {c.quote}" for c in outcome.citations)
        numbered = "\n".join(f"{i}. {text}" for i, text in enumerate(statements, 1))
        reply = self._reply("judge_faithfulness", {"contexts": quotes, "statements": numbered})
        verdicts = reply.get("verdicts")
        if not isinstance(verdicts, list) or len(verdicts) != len(statements):
            raise _NoJudgement("判断的条数与陈述的条数不同")
        if any(type(v) is not int or v not in (0, 1) for v in verdicts):
            raise _NoJudgement("判断不是 0 或 1")
        without = [text for text, v in zip(statements, verdicts, strict=True) if not v]
        note = f"无依据：{'；'.join(without)}" if without else ""
        return Score(sum(verdicts) / len(verdicts), note)

    def _relevancy(self, outcome: Outcome) -> Score:
        """Mean likeness of the question to those that the answer would answer; 0 for an evasive one.

        As in ragas: the judge asks back from the answer alone; the likeness is
        the cosine of the embeddings, negative ones counted as 0.
        """
        reply = self._reply("judge_relevancy", {"answer": plain(outcome.text), "count": str(QUESTIONS)})
        asked, evasive = _texts(reply, "questions"), reply.get("noncommittal")
        if not asked or type(evasive) is not int or evasive not in (0, 1):
            raise _NoJudgement("没有给出反推的问题")
        if evasive:
            return Score(0.0, "评判认为回答含糊其辞")
        likeness = [max(0.0, float(value)) for value in self.likeness(_question(outcome), asked)]
        return Score(min(1.0, sum(likeness) / len(likeness)), f"反推的问题：{'；'.join(asked)}")

    def _reply(self, prompt: str, values: Mapping[str, str]) -> Mapping[str, Any]:
        """Ask the judge; values stand in the message, never in the instructions."""
        system = render(prompt)
        # A quote could close its tag and go on as instructions; no tag can stand in a value.
        shown = {name: value.replace("<", "＜") for name, value in values.items()}
        user = "\n\n".join(f"<{name}>\n{value}\n</{name}>" for name, value in shown.items())
        text = ""
        for piece in self.model.stream(system, user):
            text += piece
            if len(text) > MAX_REPLY:
                raise _NoJudgement("回复太长")
        match = _JSON.search(text)
        try:
            value = json.loads(match[0]) if match else None
        except (ValueError, RecursionError) as err:
            raise _NoJudgement("回复不是 JSON") from err
        if not isinstance(value, dict):
            raise _NoJudgement("回复不是 JSON")
        return value


def make_judge(assistant: Any) -> Judge:
    """Return a judge over an assistant's model and encoder; raise BadRequest where no model is set."""
    model = assistant.model
    if model is None:
        raise BadRequest(
            reason="没有设置大模型，不能评判。"
            "请设置 LINGXUE_LLM_MODEL 和 LINGXUE_LLM_BASE_URL，或去掉 --judge。"
        )
    encoder = assistant.encoder

    def likeness(question: str, others: Sequence[str]) -> list[float]:
        query = encoder.encode_query(question)[0]
        return [float(query @ encoder.encode_query(other)[0]) for other in others]

    return Judge(model, likeness)


def _question(outcome: Outcome) -> str:
    asked = outcome.answer.standalone_question if outcome.answer else ""
    return asked or outcome.case.question


def _texts(reply: Mapping[str, Any], name: str) -> list[str]:
    value = reply.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _NoJudgement(f"回复里没有 {name} 列表")
    return [item.strip() for item in value if item.strip()]
