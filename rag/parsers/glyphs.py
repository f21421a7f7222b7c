"""Characters that PDF fonts put in place of the ordinary ones.

Chinese PDFs often map glyphs back to Kangxi radicals (⼀ for 一) or to the
radicals supplement (⻓ for 长): they look alike and no search finds them.
Knows single characters only.
"""

from __future__ import annotations

import re
import unicodedata

UNREADABLE = re.compile("[\ue000-\uf8ff\ufffd\ufffe\uffff\U000f0000-\U0010ffff]")
# The radicals supplement has no compatibility mappings but two; these are the ones seen in PDFs.
_SUPPLEMENT = dict(
    zip(
        "⺀⺁⺈⺊⺌⺍⺕⺗⺝⺟⺠⺢⺩⺫⺮⺴⺼⻄⻅⻆⻉⻋⻌⻑⻓⻔⻖⻘⻙⻚⻛⻜⻝⻢⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
        "冫厂刀卜小小彐心月母民水王网竹网肉西见角贝车辶長长门阝青韦页风飞食马鬼鱼鸟卤麦黄齐齿龙龟",
        strict=True,
    )
)
_MAPPED = {
    **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)},
    **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xF900, 0xFAFF)},
    **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)},
    **_SUPPLEMENT,
    "\u00a0": " ",
    "\u00ad": "",
    "\u200b": "",
}
_TABLE = str.maketrans(_MAPPED)


def repaired(text: str) -> str:
    """Replace radicals, compatibility ideographs and Latin ligatures by the ordinary characters.

    >>> repaired("⼀是⻓期")
    '一是长期'
    """
    return text.translate(_TABLE)
