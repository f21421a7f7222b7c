"""Trains the token vectors: ranking loss over in-batch and mined negatives, at several widths.

Knows rows of texts and a StaticEmbedding. Knows nothing of files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from eval.train.initialise import Floats, Start
from eval.train.samples import Material, Row, cut_rows, known_rows

WARM_UP = 0.05  # share of the steps
LAST_RATE = 0.02  # of the highest


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that shapes a training run."""

    epochs: int = 3
    batch: int = 512
    rate: float = 0.03
    scale: float = 20.0  # of cosines in the loss, as sentence-transformers has it
    widths: tuple[int, ...] = (512, 256, 128, 64)
    width_shares: tuple[float, ...] = (1.0, 0.5, 0.2, 0.1)
    cut_counts: tuple[tuple[str, int], ...] = (("wiki", 16_384), ("laws", 8_192), ("local", 8_192))
    known_draws: int = 20  # in an epoch, of one question for each sentence
    seed: int = 7


def epoch_batches(material: Material, recipe: Recipe, epoch: int) -> Iterator[list[Row]]:
    """Yield the shuffled batches of one epoch, each from one kind of rows."""
    draw = random.Random(recipe.seed * 1000 + epoch)
    batches: list[list[Row]] = []
    for rows in material.asked.values():
        mixed = list(rows)
        draw.shuffle(mixed)
        batches += _full(mixed, recipe.batch)
    for kind, count in recipe.cut_counts:
        batches += _full(list(cut_rows(material.groups[kind], count, draw)), recipe.batch)
    for _ in range(recipe.known_draws):
        batches += _full(known_rows(material.known, draw), recipe.batch)
    draw.shuffle(batches)
    yield from batches


def _full(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """Cut rows into batches of one width; a rest under a quarter of a batch is dropped."""
    width = min((len(row) for row in rows), default=0)
    return [[row[:width] for row in rows[i : i + size]] for i in range(0, len(rows) - size // 4, size)]


class Composed:
    """The token table of a model as `compose @ parts`, of which the parts are trained.

    A word's gradient so reaches its characters, and through them words that
    the questions never use.
    """

    def __init__(self, table: torch.Tensor, start: Start) -> None:
        """Fill `table` from where training starts."""
        self._table = table
        self._compose = start.compose
        self._transposed: sparse.csr_matrix = start.compose.T.tocsr()
        self.parts = torch.nn.Parameter(torch.from_numpy(start.parts.copy()))
        self.write()

    def write(self) -> None:
        """Bring the table up to date with the parts."""
        self._table.data.copy_(torch.from_numpy(self._compose @ self.parts.detach().numpy()))

    def copy(self) -> Floats:
        """Copy the table out."""
        vectors: Floats = self._table.detach().numpy().copy()
        return vectors

    def pull_gradient(self) -> None:
        """Move the table's gradient to the parts."""
        if self._table.grad is not None:
            self.parts.grad = torch.from_numpy(self._transposed @ self._table.grad.numpy())
        self._table.grad = None


def fit(
    start: Start,
    tokenizer: Tokenizer,
    material: Material,
    recipe: Recipe,
    report: Callable[[str, Floats], None],
) -> Floats:
    """Return trained (tokens, dim) vectors; `report` gets a line and the vectors after each epoch."""
    torch.manual_seed(recipe.seed)
    vectors = np.asarray(start.compose @ start.parts, dtype=np.float32)
    embedding = StaticEmbedding(tokenizer, embedding_weights=vectors)
    model = SentenceTransformer(modules=[embedding], device="cpu")
    table = Composed(embedding.embedding.weight, start)
    ranking = MultipleNegativesRankingLoss(model, scale=recipe.scale)
    loss = MatryoshkaLoss(model, ranking, list(recipe.widths), list(recipe.width_shares))
    # Adagrad, because Adam moves a rare token by thirty times the rate at its first gradient.
    optimiser = torch.optim.Adagrad([table.parts], lr=recipe.rate)
    steps = recipe.epochs * sum(1 for _ in epoch_batches(material, recipe, 0))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps))
    for epoch in range(recipe.epochs):
        began = time.perf_counter()
        losses = []
        for rows in epoch_batches(material, recipe, epoch):
            features = [embedding.preprocess(list(column)) for column in zip(*rows, strict=True)]
            value = loss(features, torch.empty(0))
            value.backward()
            table.pull_gradient()
            optimiser.step()
            table.write()
            schedule.step()
            losses.append(float(value.detach()))
        seconds = time.perf_counter() - began
        line = f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {len(losses)} steps, {seconds:.0f} s"
        report(line, table.copy())
    return table.copy()


def _rate(done: float) -> float:
    """Scale the rate: up over WARM_UP, then linearly down to LAST_RATE."""
    return max(LAST_RATE, min(done / WARM_UP, 1 - done))
