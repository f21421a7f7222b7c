"""Train the bundled encoder: `python -m eval.train --data ../shared/data --out rag/encoder`.

Seeds are fixed: the same data, library versions, machine and number of threads
give the same vectors.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from eval.train import corpus, measure, vocabulary
from eval.train.corpus import Collection
from eval.train.initialise import Floats, start
from rag.config import shipped_dir
from rag.embed import StaticEncoder, normalised

VOCABULARY = 32_000
WIDTH = 512
SEED = 0
LAW_CHUNKS = 6_000  # of each body of law, so that idf is not that of law alone
CHUNK = 300
LOG = logging.getLogger("eval.train")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, save and measure; the numbers go to standard output as Markdown."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("bm25s").setLevel(logging.ERROR)
    began = time.perf_counter()
    if not options.measure_only:
        train(options.data, options.knowledge, options.out, threads=options.threads)
        LOG.info("trained in %.0f s", time.perf_counter() - began)
    sys.stdout.write(report(options.data, options.out) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval.train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with laws.jsonl.gz, train/, dev/"
    )
    parser.add_argument(
        "--knowledge", type=Path, default=shipped_dir("knowledge"), help="the folder with known questions"
    )
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--measure-only", action="store_true", help="measure the model that is there")
    return parser.parse_args(arguments)


def train(data: Path, knowledge: Path, out: Path, *, threads: int) -> None:
    """Make the vocabulary, the first vectors and the trained ones, and write the folder."""
    import torch

    from eval.train import package, samples
    from eval.train.fit import Recipe, fit

    torch.set_num_threads(threads)
    texts = corpus.training_texts(data)
    tokenizer = vocabulary.train(texts, size=VOCABULARY, seed=SEED)
    LOG.info("vocabulary: %d tokens", tokenizer.get_vocab_size())
    ids = [e.ids for e in tokenizer.encode_batch(balanced(texts), add_special_tokens=False)]
    unknown = tokenizer.get_vocab()[vocabulary.UNKNOWN]
    first = start(ids, tokenizer.get_vocab(), dim=WIDTH, unknown=unknown, seed=SEED)
    sets = measure.dev_collections(data)
    progress(sets, tokenizer, "start", first.compose @ first.parts)
    material = samples.load(data, knowledge)
    LOG.info("questions: %s", json.dumps({name: len(rows) for name, rows in material.asked.items()}))
    vectors = fit(first, tokenizer, material, Recipe(), partial(progress, sets, tokenizer))
    vectors[unknown] = 0
    package.save(vectors, tokenizer, out)


def balanced(texts: dict[str, list[str]]) -> list[str]:
    """Chunks for idf and the SVD: the general texts whole, of law a sample."""
    draw = random.Random(SEED)
    chunks = {
        name: [text[a:b] for text in group for a, b in corpus.chunk_spans(text, CHUNK)]
        for name, group in texts.items()
    }
    law = [
        chunk
        for name in ("laws", "local")
        for chunk in draw.sample(chunks[name], min(LAW_CHUNKS, len(chunks[name])))
    ]
    return law + chunks["cmrc"] + chunks["pairs"]


def progress(sets: Sequence[Collection], tokenizer: Tokenizer, line: str, vectors: Floats) -> None:
    """Log the loss of an epoch and the development metrics after it."""

    def encode(texts: Sequence[str]) -> Floats:
        ids = [e.ids for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        return normalised(np.stack([vectors[row].sum(axis=0) for row in ids]))

    results = measure.evaluate(sets, measure.dense_top(encode))
    LOG.info("%s\n%s", line, measure.table({"dev": results}).splitlines()[-1])


def report(data: Path, folder: Path) -> str:
    """Measure the saved model and BM25 on the development sets and the held-out statute questions."""
    sets = [*measure.dev_collections(data), measure.held_statutes(data)]
    encoder = StaticEncoder(folder)
    results = {"BM25": measure.evaluate(sets, measure.bm25_top)}
    for width in (WIDTH, 256, 128, 64):
        encode = partial(_truncated, encoder, width)
        results[f"static {width}"] = measure.evaluate(sets, measure.dense_top(encode))
    whole = partial(_truncated, encoder, WIDTH)
    results[f"static {WIDTH}, best sentence added"] = measure.evaluate(sets, measure.sentence_top(whole))
    sizes = ", ".join(f"{c.name} {len(c.questions)}/{len(c.passages)}" for c in sets)
    return f"{measure.table(results)}\n\nR@1/R@5/MRR@10; questions/passages: {sizes}"


def _truncated(encoder: StaticEncoder, width: int, texts: Sequence[str]) -> Floats:
    return normalised(encoder.encode_documents(texts)[:, :width])


if __name__ == "__main__":
    main()
