"""Names of users as keyed hashes: turned on or off after a page that says what follows."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import name_hashing
from finops.models import NameHashing
from finops.pages.requester import address_of, signed_in
from finops.pages.settings.desk import context

SAID = {
    "on": "Names will be hashed. The conversion of those stored begins in a few seconds.",
    "off": "New names are stored in the clear. Those that are hashed stay so.",
}


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = name_hashing.current()
    error = ""
    if request.method == "POST":
        error = switched(request, request.POST.get("hash", ""))
        if not error:
            return redirect("settings-privacy")
    is_on = held is not None and held.state != NameHashing.State.OFF
    found = context(request, "settings-privacy", is_on=is_on, error=error)
    return render(request, "settings/privacy_hashing.html", found, status=400 if error else 200)


def switched(request: HttpRequest, wanted: str) -> str:
    """What is wrong; "" where it was done."""
    if wanted not in SAID:
        return "Say whether to hash names or not: use the button."
    turn = name_hashing.turn_on if wanted == "on" else name_hashing.turn_off
    try:
        is_new = turn(signed_in(request), timezone.now(), address_of(request))
    except name_hashing.WrongKey as error:
        return str(error)
    messages.success(request, SAID[wanted] if is_new else "Nothing was changed.")
    return ""
