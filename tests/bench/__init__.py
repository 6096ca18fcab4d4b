"""Benchmarks: each measurement is a ratio taken in one run, printed as one line of JSON with its raw figures."""
