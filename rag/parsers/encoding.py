"""Which encoding bytes are in, for Chinese text: BOM, UTF-8, plausibility, then a library.

gb18030 decodes almost any bytes, so that it decodes proves nothing: what
comes out is scored by how much of it is common Chinese. Knows bytes only.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

# Marks that no text starts with; formats marked by plain letters (RIFF, ID3) give themselves away by NULs.
BINARY_MAGIC = (
    *(b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF89a", b"GIF87a"),
    *(b"Rar!\x1a", b"7z\xbc\xaf", b"\x1f\x8b", b"\x7fELF", b"SQLite format 3\0", b"II*\0", b"MM\0*"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_CANDIDATES = ("gb18030", "big5hkscs", "utf-16-le", "utf-16-be", "utf-8")
_SAMPLE = 20_000  # code points scored; the whole is decoded all the same
_PLAUSIBLE = 0.3  # mean score of a code point: running Chinese reaches .7, wrong decodings stay below .25
_CERTAIN = 0.9
_LONE = re.compile("(?<![\u4e00-\u9fa5])[\u4e00-\u9fa5](?![\u4e00-\u9fa5])")  # an accented letter misread
_MAX_FAULTS = 0.002  # bytes that may be damaged in a file that is otherwise sound
_MAX_CONTROLS = 0.01
# The commonest characters of running Chinese text, simplified and traditional.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多"
    "定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由"
    "其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意"
    "建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统"
    "接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导"
    "器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示"
    "議會這國來時們個學為發後對說過動進產種經現實與關長應無從業將還開問點見體機義數電當兩書師園據區處條專務規範請"
    "办范校师育责通知意施细评课程违依照府省市县委员项"
)
_PUNCTUATION = frozenset("，。、；：？！“”‘’（）《》【】〔〕—…·　「」『』％～０１２３４５６７８９．")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it was read in, and a remark in Chinese where bytes were lost."""

    text: str
    encoding: str
    remark: str = ""


def is_binary(content: bytes) -> bool:
    """Tell whether content starts as a known binary format does."""
    return content.startswith(BINARY_MAGIC)


def decode(content: bytes) -> Decoded | None:
    """Decode text of unknown encoding; None where it is no text.

    Never yields lone surrogates. The byte order mark is not part of the text.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _lenient(content[len(mark) :], encoding)
    if b"\0" not in content:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            if not _too_many_controls(text):
                return _words_of_gbk(content, text) or Decoded(text, "utf-8")
    return _most_plausible(content) or _by_library(content)


def _words_of_gbk(content: bytes, text: str) -> Decoded | None:
    """Tell a few GBK words from UTF-8: 学校 is D1 A7 D0 A3, which UTF-8 reads as two Cyrillic letters.

    Chinese text in UTF-8 always has characters of three bytes, so only text without them is doubted.
    """
    if text.isascii() or max(text) >= "\u0800":
        return None
    decoded = _lenient(content, "gb18030")
    if decoded is None or _score(decoded.text) < _CERTAIN or _LONE.search(decoded.text):
        return None
    return decoded


def _lenient(content: bytes, encoding: str) -> Decoded | None:
    """Decode, allowing a few damaged bytes, which become U+FFFD."""
    try:
        text, remark = content.decode(encoding), ""
    except UnicodeDecodeError:
        text = content.decode(encoding, errors="replace")
        faults = text.count("\ufffd")
        if faults > max(2, len(content) * _MAX_FAULTS):
            return None
        remark = f"有 {faults} 处字节无法识别，已用 \ufffd 代替"
    return None if _too_many_controls(text) else Decoded(text, encoding, remark)


def _most_plausible(content: bytes) -> Decoded | None:
    found = [decoded for encoding in _CANDIDATES if (decoded := _lenient(content, encoding))]
    best = max(found, key=lambda decoded: _score(decoded.text), default=None)
    return best if best and _score(best.text) >= _PLAUSIBLE else None


def _by_library(content: bytes) -> Decoded | None:
    if b"\0" in content:
        return None
    from charset_normalizer import from_bytes

    match = from_bytes(content).best()
    if match is None or _too_many_controls(text := str(match)):
        return None
    return Decoded(
        text.lstrip("\ufeff"), match.encoding, f"编码不常见，按 {match.encoding} 读取，请核对有无乱码"
    )


def _score(text: str) -> float:
    """Return the mean plausibility of what is not ASCII, which every candidate reads alike."""
    sample = text[:_SAMPLE]
    telling = [character for character in sample if not " " <= character <= "~"] or sample
    return sum(map(_plausibility, telling)) / max(1, len(telling))


def _plausibility(character: str) -> float:
    """Score a code point between -3 (never meant) and 1 (expected in Chinese text)."""
    if character in _COMMON or character in _PUNCTUATION:
        return 1.0
    if "\u4e00" <= character <= "\u9fa5":
        return 0.5 if _is_first_level(character) else 0.2
    if " " <= character <= "~" or character in "\n\r\t":
        return 0.5
    if character < " " or "\ue000" <= character <= "\uf8ff" or character == "\ufffd":
        return -3.0
    return -1.0


def _is_first_level(character: str) -> bool:
    """Tell whether GB 2312 has a character among its 3,755 of common use (rows 16 to 55)."""
    return b"\xb0" <= character.encode("gb2312", errors="ignore")[:1] <= b"\xd7"


def _too_many_controls(text: str) -> bool:
    controls = sum(1 for character in text[:_SAMPLE] if character < " " and character not in "\t\n\r\f")
    return "\0" in text[:_SAMPLE] or controls > len(text[:_SAMPLE]) * _MAX_CONTROLS
