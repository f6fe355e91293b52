"""What the organisation has decided for everybody: tiers, tags, limits, retention, its calendar.

Kept in small tables; ingest reads them with its configuration (ingest/configuration.py), so that a
change acts within two seconds and without a restart.
"""
