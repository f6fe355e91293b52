"""Ingest writes facts: it decodes, normalises, prices and stores usage events."""
