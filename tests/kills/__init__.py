"""Runs that are killed: `make test-kills`, minutes."""
