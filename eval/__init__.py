"""Evaluation: cases, metrics, training of what is bundled; never imported by `rag`."""
