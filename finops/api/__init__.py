"""The query API (Django REST framework)."""
