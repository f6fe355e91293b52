"""Doors: each turns one wire format into events of the one schema."""
