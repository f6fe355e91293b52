"""What providers billed: taken in, set against usage, and put into the books."""

from __future__ import annotations
