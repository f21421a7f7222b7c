"""Makes the bundled encoder `rag/encoder` from public texts: `python -m eval.train`."""
