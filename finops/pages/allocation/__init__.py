"""The pages of a month's allocation."""
