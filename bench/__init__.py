"""Benchmarks. Each module answers one question; `python -m bench` lists them, RESULTS.md has what was measured."""
