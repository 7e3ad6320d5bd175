"""Outlets (网点): the bank's own list or a visible sample, and which are nearest."""
