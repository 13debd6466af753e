"""Benchmarks: each answers the question on top of its file."""
