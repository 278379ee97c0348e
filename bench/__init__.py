"""Benchmarks. Each module answers one question: python -m bench.ingest; a quick look at all: python -m bench."""
