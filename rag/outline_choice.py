"""Choices that differ from person to person and repeat for the same request.

Everything is settled by a digest of the request: the same request gives the
same outline on every machine, another role, topic, event or seed another one.
Knows nothing of what is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from typing import TypeVar

Item = TypeVar("Item")


def shuffled(items: Sequence[Item], key: str) -> list[Item]:
    """Return the items in an order that depends on the key and their text alone."""
    return sorted(items, key=lambda item: sha256(f"{key}|{item}".encode()).digest())


class Draw:
    """Hands out items of named pools in turn, so that nothing comes twice before all came once.

    The seed turns every pool by so many places; the key shuffles it.
    """

    def __init__(self, seed: int, key: str) -> None:
        self.seed = seed
        self._key = key
        self._drawn: dict[Hashable, int] = {}

    def next(
        self,
        pool: Hashable,
        items: Sequence[Item],
        *,
        nearness: Callable[[Item], float] | None = None,
        rounds: int = 1,
    ) -> Item:
        """Return the next item of a pool; `items` are not empty and the same for each call.

        With `nearness` (0 to 1) the nearest come first, and the seed only
        moves on once in so many rounds.
        """
        turn = self._drawn.get(pool, 0)
        self._drawn[pool] = turn + 1
        mixed = shuffled(items, f"{self._key}|{pool}")
        if nearness is None:
            return mixed[(self.seed + turn) % len(mixed)]
        near = nearness
        mixed.sort(key=lambda item: -round(near(item), 1))
        return mixed[(self.seed // rounds + turn) % len(mixed)]
