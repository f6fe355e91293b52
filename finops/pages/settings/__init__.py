"""The Settings desk: what holds for the whole organisation. Administrators change it."""
