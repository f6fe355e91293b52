"""Signing in and out, and the first visit, which creates the administrator."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth import get_user_model, login
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from finops.pages import wants_fragment


class SetupForm(BaseUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username", "email")
        help_texts: ClassVar = {"username": "", "email": "Optional."}


def is_set_up() -> bool:
    return get_user_model().objects.exists()


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Creates the administrator when there is no user at all; afterwards it leads to sign-in."""
    if is_set_up():
        return redirect("sign-in")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = create_administrator(form)
        if user is None:
            return redirect("sign-in")
        login(request, user)
        return redirect("overview")
    return render(
        request, "accounts/setup.html", {"form": form}, status=400 if form.errors else 200
    )


def create_administrator(form: SetupForm) -> User | None:
    """The new administrator, or None when somebody else was first."""
    with transaction.atomic():
        # Two first visitors at once: the second waits for this row and then finds the first.
        ContentType.objects.select_for_update().get(app_label="auth", model="user")
        if is_set_up():
            return None
        user: User = form.save(commit=False)
        user.is_staff = user.is_superuser = True
        user.save()
        return user


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not is_set_up():
            return redirect("setup")
        if wants_fragment(request):
            # The session ended under an open page: leave it instead of signing in inside it.
            return HttpResponseClientRedirect(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)
