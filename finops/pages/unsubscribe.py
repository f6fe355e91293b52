"""Where the link of a mail leads: ends it for one mailbox, without signing in."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from finops.channels import unsubscribing
from finops.pages.requester import address_of


@csrf_exempt  # mail programs send the POST of RFC 8058 by themselves; the link is the right to it
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, since scanners of mails follow links; POST does it."""
    recipient = unsubscribing.find(token)
    if recipient is None:
        raise Http404("This link is of no mail that is still sent.")
    if request.method == "POST":
        unsubscribing.unsubscribe(recipient, at=timezone.now(), address=address_of(request))
    is_done = request.method == "POST" or unsubscribing.is_ended(recipient)
    return render(request, "alerts/unsubscribe.html", {"recipient": recipient, "is_done": is_done})
