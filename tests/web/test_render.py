"""What documents, people and models write comes out as text, never as markup."""

import html
import re
from html.parser import HTMLParser

import pytest

from rag.cite import cite
from rag.types import (
    Answer,
    Citation,
    Metadata,
    Outline,
    OutlineSection,
    Point,
    Repair,
    Run,
    Section,
    Sentence,
    Source,
)
from rag.web import markup, panel, render

PAYLOADS = [
    "<script>fired()</script>",
    "<img src=x onerror=fired()>",
    '"><svg onload=fired()>',
    "' autofocus onfocus=fired() x='",
    "![图](http://evil.example/x.png)",
    "[点我](javascript:fired())",
    "[x]: http://evil.example 'y'\n[x]",
    "<http://evil.example>",
    "```html\n<b>\n```",
    "<!-- --><style>*{background:url(//evil.example)}</style>",
    "</div></article><iframe src=//evil.example>",
    "&lt;script&gt;fired()&lt;/script&gt;",
    "&#60;script&#62;",
    "$$\\href{javascript:fired()}{x}$$",
    "甲\n\n<img src=x onerror=fired()>\n\n乙",
    "<a href=evil id=c-1-1 class=lx-open>假的出处</a>",
    "{{7*7}} ${fired()} {%raw%}",
    "\u202e反\u0000零",
]
ALLOWED = {
    "a": {"class", "href", "title"},
    "article": {"id"},
    "b": set(), "blockquote": set(), "br": set(), "details": {"class"}, "summary": set(), "em": set(),
    "h2": {"id"}, "h3": set(), "h4": set(),
    "button": {"type", "class", "id", "title"},
    "div": {"class"},
    "header": set(), "li": {"id", "class"}, "mark": {"id", "class", "tabindex"}, "ol": {"start"}, "p": {"class"},
    "span": {"class", "title"}, "strong": set(), "ul": set(),
}  # fmt: skip


class Seen(HTMLParser):
    """Collects tags, attributes and text the way a browser would read them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.marks = [], [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append((tag, dict(attrs).get("id")))
        if ("mark", "quote") in self.open and tag == "mark":
            self.marks.append("")

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text += data
        if ("mark", "quote") in self.open:
            self.marks[-1] += data


def assert_harmless(page):
    seen = Seen(page)
    assert not seen.open, f"not closed: {seen.open}"
    for tag, attributes in seen.tags:
        assert tag in ALLOWED, tag
        assert set(attributes) <= ALLOWED[tag], (tag, attributes)
        target = attributes.get("href", "#")
        assert re.fullmatch(r"#c-[\w]+-\d+|(?:evidence/)?[\w%.~-]*\?[\w=&]+|#", target), target
    return seen


def citation(**changes):
    given = {
        "marker": 1, "source_id": "s1", "title": "会议规则", "locator": "二、", "section_path": ("二、",),
        "quote": "到会要过半数。", "start": 4, "end": 11, "authority": "central", "status": "试行",
    }  # fmt: skip
    return Citation(**{**given, **changes})


def answer(text="到会要过半数。[1]", **changes):
    given = {
        "question": "多少人？", "standalone_question": "多少人？", "status": "answered", "answer": text,
        "sentences": (Sentence("到会要过半数。", "quoted", (1,)),), "citations": (citation(),),
    }  # fmt: skip
    return Answer(**{**given, **changes})


def source(text, *, repairs=(), runs=None, sections=(), **metadata):
    return Source(
        "s1", "a.txt", text, text, runs or (Run(0, 0, len(text)),), repairs, sections, Metadata(**metadata)
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_in_any_field_of_an_answer_stays_text(payload):
    hostile = answer(
        f"{payload}[1]",
        question=payload,
        standalone_question=payload + "？",
        model=payload,
        sentences=(Sentence(payload, "paraphrased", (1,)),),
        citations=(
            citation(title=payload, locator=payload, quote=payload, source_id=payload, status=payload),
        ),
    )
    page = render.answer_html(hostile, "3")
    seen = assert_harmless(page)
    assert "\n" not in page, "a blank line would let Markdown read on"
    assert "fired()" not in payload or "fired()" in seen.text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_in_a_question_an_error_or_a_streamed_piece_stays_text(payload):
    shown = (render.question_html(payload), render.error_html(payload), render.stage_html("整理", payload))
    for page in (*shown, render.note_html(payload)):
        assert_harmless(page)
        assert "\n" not in page
    assert Seen(render.question_html(payload)).text == payload


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_in_an_outline_stays_text(payload):
    outline = Outline(
        payload, payload, payload, payload, payload,
        (OutlineSection(payload, (Point(payload, "policy", (1,)), Point(f"〔请填：{payload}〕", "own")), 100),),
        (), (citation(quote=payload),), (payload,),
    )  # fmt: skip
    page = render.outline_html(outline, "d")
    assert_harmless(page)
    assert "\n" not in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_in_a_document_stays_text_and_the_quote_is_exact(payload):
    text = f"前文{payload}后文"
    page = panel.evidence_html(
        source(text, title=payload, issuer=payload, status=payload, basis=(payload,)), 2, 2 + len(payload)
    )
    seen = assert_harmless(page)
    assert seen.marks == [payload]


def test_each_marker_becomes_a_chip_that_leads_to_the_entry_of_its_citation():
    page = render.answer_html(answer(), "7")
    assert '<a class="lx-chip" href="#c-7-1" title="到会要过半数。">[1]</a>' in page
    assert '<li id="c-7-1">' in page
    assert 'href="evidence/s1?start=4&amp;end=11"' in page


def test_marker_without_a_citation_stays_text():
    page = render.answer_html(answer("见附件[9]。"), "1")
    assert "见附件[9]。" in Seen(page).text
    assert "#c-1-9" not in page


@pytest.mark.parametrize(
    ("support", "label"),
    [("quoted", "原文"), ("paraphrased", "概括"), ("unsupported", "无依据"), ("notice", "")],
)
def test_sentence_is_labelled_with_its_support(support, label):
    page = render.answer_html(answer(sentences=(Sentence("到会要过半数。", support, (1,)),)), "1")
    assert re.findall(r'class="lx-support[^>]*>([^<]*)<', page) == ([label] if label else [])


def test_list_keeps_its_levels_and_labels_each_item():
    two = answer(
        "- 甲要做。[1]\n  - 一是**快**。[1]\n- 乙要做。[1]",
        sentences=tuple(Sentence(text, "quoted", (1,)) for text in ("甲要做。", "一是**快**。", "乙要做。")),
    )
    page = render.answer_html(two, "1")
    assert page.count("<ul>") == 3  # two levels, and the list of sources
    assert "<strong>快</strong>" in page
    assert page.count(">原文<") == 3


def test_rewritten_question_is_shown_only_where_it_differs():
    assert "理解为" not in render.answer_html(answer(), "1")
    assert "理解为：开会多少人？" in render.answer_html(answer(standalone_question="开会多少人？"), "1")


def test_no_evidence_and_refusal_look_different_from_an_answer_and_say_so_in_words():
    shown = {status: render.answer_html(answer(status=status), "1") for status in ("no_evidence", "refused")}
    assert "lx-no_evidence" in shown["no_evidence"] and "资料里没有依据" in shown["no_evidence"]
    assert "lx-refused" in shown["refused"] and "不能照办" in shown["refused"]
    assert "lx-flag" not in render.answer_html(answer(), "1")


@pytest.mark.parametrize(
    ("authority", "label"),
    [("central", "中央文件"), ("ministry", "部委文件"), ("province", "地方文件"), ("county", "地方文件"),
     ("school", "学校文件"), ("author", "作者观点"), ("", "未注明")],
)  # fmt: skip
def test_authority_is_named_in_chinese(authority, label):
    assert label in markup.badges(authority, "现行")


def test_panel_shows_the_original_with_removed_pieces_faint_and_the_quote_whole():
    original = "一、总则\n12、开会，到会要过\n13、半数。散会。"
    removed = (Repair("line-number", 5, 8), Repair("line-number", 17, 20))
    runs = (Run(0, 0, 5), Run(5, 8, 9), Run(14, 20, 6))
    clean = original[:5] + original[8:17] + original[20:]
    document = Source("s1", "a.txt", original, clean, runs, removed, (Section(0, len(clean), 5, 1, "一、"),))
    quote = cite(document, 8, clean.index("散会"))
    page = panel.evidence_html(document, quote.start, quote.end)
    assert Seen(page).marks == [quote.quote] == ["到会要过\n13、半数。"]
    assert page.count('<span class="removed"') == 2
    assert html.unescape(re.sub(r"<[^>]+>", "", page.split('class="lx-words">')[1])) == original


def test_long_document_shows_a_window_and_offers_the_whole():
    text = "\n".join(f"第{n}行的话。" for n in range(5000))
    start = text.index("第2500行的话。")
    document = source(text)
    part = panel.evidence_html(document, start, start + 10)
    assert part.count("显示全文") == 2
    assert len(Seen(part).text) < 2 * panel.AROUND + 400
    assert Seen(part).marks == [text[start : start + 10]]
    whole = panel.evidence_html(document, start, start + 10, whole=True)
    assert "显示全文" not in whole
    assert text in Seen(whole).text


@pytest.mark.parametrize(("start", "end"), [(-5, 3), (0, 10**9), (10**9, 10**9), (7, 2)])
def test_offsets_beyond_the_document_are_clamped(start, end):
    assert_harmless(panel.evidence_html(source("只有十个字的一份文件"), start, end))


def test_repealed_document_is_marked_as_such():
    page = panel.evidence_html(source("旧规定。", status="废止"), 0, 4)
    assert "lx-repealed" in page and "已经废止" in page


def test_slots_of_an_outline_are_marked():
    assert (
        render.with_slots("写〔请填：哪一年〕<b>")
        == '写<mark class="lx-slot">〔请填：哪一年〕</mark>&lt;b&gt;'
    )


def test_marks_of_markdown_headings_are_hidden_and_stay_in_the_text():
    text = "# 规则\n\n## 一、会议\n\n书记召集会议。\n"
    at = text.index("## 一")
    sections = (Section(0, len(text), 5, 1), Section(at, len(text), at + 9, 2))
    document = Source("s", "规则.md", text, text, (Run(0, 0, len(text)),), sections=sections)
    page = panel.text_html(document, 0, len(text), 0, 4)
    assert page.count('<span class="lx-unshown">') == 2
    assert html.unescape(re.sub("<[^>]*>", "", page)) == text
