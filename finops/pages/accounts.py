"""Signing in and out, and the first visit, which creates the administrator."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.views import LoginView
from allauth.socialaccount.adapter import get_adapter
from django.contrib.auth import login
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from finops import accounts
from finops.pages import wants_fragment


class SetupForm(BaseUserCreationForm):  # type: ignore[type-arg]
    # Names are kept as signing in reads them: Unicode has several ways to write one.
    class Meta(BaseUserCreationForm.Meta):
        fields = ("username", "email")
        help_texts: ClassVar = {"username": "", "email": "Optional."}

    def validate_password_for_user(self, user: User) -> None:
        """A password that is too weak is told where it is chosen, not where it is repeated."""
        password = self.cleaned_data.get("password1")
        try:
            if password:
                validate_password(password, user)
        except ValidationError as error:
            self.add_error("password1", error)


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Creates the administrator when there is no user at all; afterwards it leads to sign-in."""
    if accounts.is_set_up():
        return redirect("sign-in")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: User = form.save(commit=False)
        if not accounts.create_administrator(user):
            return redirect("sign-in")
        login(request, user)
        return redirect("overview")
    return render(request, "account/setup.html", {"form": form}, status=400 if form.errors else 200)


class SignIn(LoginView):
    template_name = "account/sign_in.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not accounts.is_set_up():
            return redirect("setup")
        if wants_fragment(request):
            # The session ended under an open page: leave it instead of signing in inside it.
            return HttpResponseClientRedirect(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        providers = get_adapter().list_providers(self.request)
        return context | {"providers": [each for each in providers if each.app]}
