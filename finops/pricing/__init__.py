"""Prices without a database: what a line of the ledger is, what it makes a request cost, which
line holds for which request, and what the public catalogue says.

lines      the ledger line and its unit prices per disjoint bucket
formula    one request × its lines = amounts, exactly; the reference of ingest/sql/rating.sql
resolution which lines a request is rated with
catalog    genai-prices as ledger lines
matching   what clients call a model → what the catalogue calls it
"""
