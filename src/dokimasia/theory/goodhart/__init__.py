"""Goodhart's law with heavy tails."""
