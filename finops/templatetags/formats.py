"""finops.formats for templates."""

from __future__ import annotations

from django import template

from finops import formats

register = template.Library()

register.filter("count_long", formats.count_long)
register.filter("count_short", formats.count_short)
register.filter("duration", formats.duration)
register.filter("money_exact", formats.money_exact)
register.filter("money_long", formats.money_long)
register.filter("money_short", formats.money_short)
