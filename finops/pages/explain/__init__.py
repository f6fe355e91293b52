"""Explain: why costs differ between two periods, as a waterfall, by group, and by root cause."""
