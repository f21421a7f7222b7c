"""Numbers that belong to one person, and a model that does not get them unasked.

What looks like an identity card, a telephone or a bank card is found by its
form and, where it has one, its check digit. A model that does not run on
this computer is wrapped in `Guarded`: every message that would leave is
looked through first, whatever it is for, and held back where something is
found. Knows no provider, no screen and no question.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from rag.errors import HeldBack

if TYPE_CHECKING:
    from rag.protocols import ChatModel

# What to do with a message that holds such numbers: leave it to whoever asked, do without the model, send it.
OnPrivate = Literal["hold", "extract", "send"]
SHOWN = 3  # findings named in a message
_ORDINARY = str.maketrans("０１２３４５６７８９Ｘ－（）＋　", "0123456789X-()+ ")
# A run of digits, as people write them: in groups with one blank or hyphen between, X as the last of all.
_RUN = re.compile(r"(?<![A-Za-z0-9.])(?:\+|00)?\(?\d(?:[ \-)]{0,2}\d){6,22}[Xx]?(?![A-Za-z0-9])")
_NAMED = re.compile(r"(?:电话|手机|座机|联系方式|拨打)[^\d\n]{0,8}(\d{4}[ -]?\d{3,4})(?!\d)")
_ABROAD = re.compile(r"^(?:\+|00)?86(?=1[3-9]\d{9}$|(?:10|[2-9]\d)\d{7,9}$)")  # the country's code
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d)[2-9]\d{7}|0[3-9]\d{2}[2-9]\d{6,7}")
_LABEL = re.compile(r"(?:我的?|本人)?(?:身份证|电话|手机|银行卡)?(?:号码|号)?[是为：: ]{0,3}$")
# Codes of provinces, the first two digits of an identity number (GB/T 2260).
_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66),
     71, 81, 82, 83]
)  # fmt: skip
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 附录: ISO 7064 MOD 11-2
_CHECKS = "10X98765432"
_BANK = re.compile(r"(?:62|4|5[1-5]|35|30|36|9[4-9])\d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A number found: of which kind, and what may be shown of it."""

    kind: str
    masked: str

    def __str__(self) -> str:
        """What to tell: 手机号 138******00."""
        return f"{self.kind} {self.masked}"


def find(text: str) -> list[Finding]:
    """Return the personal numbers of a text, each once, in order.

    >>> [str(found) for found in find("张三的电话是 138-0013-8000。")]
    ['手机号 138******00']
    """
    text = text.translate(_ORDINARY)
    runs = [(match.start(), _digits(match[0])) for match in _RUN.finditer(text)]
    found = [(start, kind, digits) for start, digits in runs if (kind := _kind(digits))]
    found += [(match.start(1), "电话", _digits(match[1])) for match in _NAMED.finditer(text)]
    return list(dict.fromkeys(Finding(kind, _masked(digits)) for _, kind, digits in sorted(found)))


def without(text: str, known: Callable[[str], bool]) -> str:
    """Return a question without its writer's numbers, which only hide what is asked from the search.

    A number that is `known`, because it stands in the documents, may be what is asked about and stays.

    >>> without("我的身份证号是11010519491231002X，党员登记表在哪里领？", lambda number: False)
    '，党员登记表在哪里领？'
    """
    kept, end = "", 0
    for match in _RUN.finditer(text.translate(_ORDINARY)):
        digits = _digits(match[0])
        if _kind(digits) and not known(digits):
            kept += _LABEL.sub("", text[end : match.start()])
            end = match.end()
    return kept + text[end:]


def outside(base_url: str) -> bool:
    """Tell whether a model's address is another computer's; where none is given, it is the provider's."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


class Guarded:
    """A chat model outside this computer that gets no personal numbers; `inner` is the model itself."""

    def __init__(self, inner: ChatModel, receiver: str) -> None:
        self.inner = inner
        self._receiver = receiver

    @property
    def name(self) -> str:
        """provider:model."""
        return self.inner.name

    def check(self, text: str) -> None:
        """Raise HeldBack where a text that is to be sent holds personal numbers."""
        if found := find(text):
            more = f"等 {len(found)} 处" if len(found) > SHOWN else ""
            shown = "、".join(str(finding) for finding in found[:SHOWN])
            raise HeldBack(found=shown + more, receiver=self._receiver)

    def stream(self, system: str, user: str) -> Iterator[str]:
        """Yield the reply; raise HeldBack, nothing sent, where the message holds personal numbers."""
        self.check(user)
        yield from self.inner.stream(system, user)


def let_through(model: ChatModel | None, private: OnPrivate) -> ChatModel | None:
    """Return the model behind the guard where a person has decided to send, else the model as it is."""
    return model.inner if private == "send" and isinstance(model, Guarded) else model


def _digits(run: str) -> str:
    """Return a run's digits, a telephone number as it is dialled inside the country."""
    digits = re.sub(r"[^\dX+]", "", run.upper())
    if _ABROAD.match(digits):
        digits = digits[-11:] if _MOBILE.fullmatch(digits[-11:]) else _ABROAD.sub("0", digits)
    return digits


def _kind(digits: str) -> str:
    """Name what a number is, or "" for one that is nobody's."""
    if _identity(digits):
        return "身份证号"
    if _MOBILE.fullmatch(digits):
        return "手机号"
    if _bank(digits):
        return "银行卡号"
    return "电话" if _LANDLINE.fullmatch(digits) else ""


def _identity(digits: str) -> bool:
    if len(digits) not in (15, 18) or not digits[:-1].isdecimal() or int(digits[:2]) not in _PROVINCES:
        return False
    old = len(digits) == 15
    born = f"19{digits[6:12]}" if old else digits[6:14]
    try:
        day = date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return False
    if old:
        return digits.isdecimal()
    check = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return 1850 < day.year <= date.today().year and digits[-1] == _CHECKS[check % 11]


def _bank(digits: str) -> bool:
    """Tell whether a number is a payment card's: its issuer's digits, and the check of ISO/IEC 7812-1."""
    if not 16 <= len(digits) <= 19 or not digits.isdecimal() or not _BANK.fullmatch(digits):
        return False
    doubled = [int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _masked(digits: str) -> str:
    return f"{digits[:3]}{'*' * (len(digits) - 5)}{digits[-2:]}"
