"""Benchmarks: ratios measured in one run beside a named peer, filed by commit."""
