"""Trains the tokenizer: BPE over runs of Chinese characters, without spaces.

Knows texts and the `tokenizers` library. Knows nothing of vectors.
"""

from __future__ import annotations

import random

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"
# Characters that bind words rather than make them stand alone, so that a merged
# 的实施 does not hide 实施: worth 3 to 5 points of R@1 (docs/design/0002).
FUNCTION_CHARACTERS = "的了在是和与为于由被将及或之其"
LONGEST_TOKEN = 6
SAMPLED_ARTICLES = 20_000  # of each body of law: more only adds phrases of legal form
WIKI_REPEATS = 3  # the encyclopaedia is a tenth of the law text and most of the general words


def train(texts: dict[str, list[str]], *, size: int, seed: int) -> Tokenizer:
    """Train a BPE tokenizer of `size` tokens whose normaliser folds width, form and case."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_words()), "removed", invert=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[UNKNOWN],
        max_token_length=LONGEST_TOKEN,
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(texts, seed), trainer)
    return tokenizer


def _words() -> str:
    """One function character, a run of other Chinese characters, of digits, or of other letters."""
    return (
        rf"[{FUNCTION_CHARACTERS}]|[\p{{Han}}&&[^{FUNCTION_CHARACTERS}]]+"
        r"|[0-9]+|[^\p{Han}0-9\s\p{P}\p{S}]+"
    )


def _sample(texts: dict[str, list[str]], seed: int) -> list[str]:
    draw = random.Random(seed)
    law = [
        text
        for name in ("laws", "local")
        for text in draw.sample(texts[name], min(SAMPLED_ARTICLES, len(texts[name])))
    ]
    return texts["cmrc"] * WIKI_REPEATS + law + texts["pairs"]
