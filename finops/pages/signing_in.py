"""What Farthing says where django-allauth asks: who may try, who may come, what is written down."""

from __future__ import annotations

import logging
import smtplib
import unicodedata
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone

from finops import accounts, audit, devices, invitations, people
from finops.models import Account, Role

log = logging.getLogger(__name__)

# How allauth calls what happened to an account → the act, and what is said of it.
ACTS = {
    "account/email/password_changed": "password.change",
    "account/email/password_reset": "password.reset",
    "account/email/password_set": "password.set",
    "mfa/email/totp_activated": "second-factor.add",
    "mfa/email/totp_deactivated": "second-factor.remove",
    "mfa/email/webauthn_added": "passkey.add",
    "mfa/email/webauthn_removed": "passkey.remove",
    "mfa/email/recovery_codes_generated": "recovery-codes.make",
}
LOCKED_SECONDS = 15 * 60


class SignInForm(LoginForm):
    """By user name or e-mail address, in one field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Username or e-mail"
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"

    def add_prefix(self, field_name: str) -> str:
        """On the page the field has the name by which it is known to scripts that sign in."""
        return super().add_prefix("username" if field_name == "login" else field_name)

    def clean_login(self) -> str:
        # Names are kept in this form: Unicode has several ways to write one.
        return unicodedata.normalize("NFKC", super().clean_login())


class PasskeyForm(AddWebAuthnForm):
    """Passkeys open an account by themselves, unless their owner wants only a second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial |= {"name": "Passkey", "passwordless": True}
        alone = self.fields["passwordless"]
        alone.label = "Sign in with it alone"
        alone.help_text = "Without a password. Otherwise it is asked for after the password."


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        **dict.fromkeys(
            ("username_password_mismatch", "email_password_mismatch", "invalid_login"),
            "Please enter a correct username and password. Both are case-sensitive.",
        ),
        "too_many_login_attempts": "Too many wrong attempts. Try again in a quarter of an hour, or "
        "from a device on which you have signed in before.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts the attempt before the password is looked at; a right one is taken back."""
        entered = str(credentials.get("email") or credentials.get("username") or "").lower()
        user = _user_of(credentials)
        device = devices.read(request.COOKIES.get(devices.COOKIE))
        known = user is not None and device.knows(user.pk)
        whose = f"user:{user.pk}" if user else f"name:{entered}"
        self._login_failed_rl_usage = ratelimit.consume(
            request,
            app="allauth.account",
            action="login_failed_known" if known else "login_failed",
            key=f"{whose}:{device.id}" if known else whose,
        )
        if not self._login_failed_rl_usage:
            self._record_lock_out(request, user, known)
            raise self.validation_error("too_many_login_attempts")

    def _record_lock_out(self, request: HttpRequest, user: User | None, known: bool) -> None:
        """Once for each lock-out, or a guesser would fill the audit log."""
        address = self.get_client_ip(request)
        # What was typed may be a password in the wrong field.
        subject = user.get_username() if user else "unknown names"
        if cache.add(f"locked:{address}:{user.pk if user else ''}:{known}", 1, LOCKED_SECONDS):
            audit.record(
                "sign-in.lock",
                subject,
                at=timezone.now(),
                by="nobody",
                address=address,
                reason="Too many wrong passwords from a "
                + ("device of this user." if known else "device that is not known."),
            )

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Called for everything that changes how somebody signs in, so it is written down here."""
        if act := ACTS.get(template_prefix):
            address = self.get_client_ip(self.request)
            audit.record(act, user.get_username(), at=timezone.now(), by=user, address=address)
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as error:
            # What was done is done, and to say it to strangers would tell who has an account.
            log.error("Mail was not sent, see EMAIL_URL: %s", error)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/account"


def _user_of(credentials: dict[str, Any]) -> User | None:
    """Whose account is tried, with or without the right password."""
    found: User | None = get_user_by_username(credentials.get("username") or "")
    if found is None and credentials.get("email"):
        found = next(iter(filter_users_by_email(credentials["email"], is_active=True)), None)
    return found


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """People of the identity provider come in by a verified e-mail address, new ones as viewers."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        verified = [each for each in sociallogin.email_addresses if each.verified]
        if not sociallogin.is_existing and not verified:
            messages.error(
                request,
                "Your identity provider does not vouch for your e-mail address, so Farthing "
                "cannot tell who you are. Ask whoever runs it.",
            )
            raise ImmediateHttpResponse(redirect("sign-in"))
        if sociallogin.is_existing:
            self._give_role(request, sociallogin)

    def authenticate_by_email(self, sociallogin: SocialLogin) -> Any:
        for each in sociallogin.email_addresses:
            # Some providers say it in words, and "false" is true to Python.
            each.verified = each.verified in (True, "true")
        found = super().authenticate_by_email(sociallogin)
        if found:
            # The address was given by an administrator; nobody can have signed up with it.
            accounts.trust_email(*found)
        return found

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        with transaction.atomic():
            user: User = sociallogin.user
            user.username = accounts.free_username(_username(user))
            super().save_user(request, sociallogin, form)
            self._let_in(request, sociallogin, user)
        self._give_role(request, sociallogin)
        return user

    def _let_in(self, request: HttpRequest, sociallogin: SocialLogin, user: User) -> None:
        """As whom they were invited, or as a viewer."""
        now, address = timezone.now(), self.get_client_ip(request)
        vouched = [each.email for each in sociallogin.email_addresses if each.verified]
        if invitations.take_up(user, vouched, at=now, address=address):
            return
        Account.objects.create(user=user, role=Role.VIEWER)
        audit.record(
            "person.arrive",
            user.get_username(),
            at=now,
            by="single sign-on",
            after={"role": Role.VIEWER.value},
            address=address,
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        return AccountAdapter(request).get_client_ip(request)

    def _give_role(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Where groups are mapped to roles, the provider says who has which, at every sign-in."""
        if not (settings.OIDC_ROLES and settings.OIDC_GROUPS_CLAIM):
            return
        data = sociallogin.account.extra_data
        claims = {**(data.get("id_token") or {}), **(data.get("userinfo") or {})}
        groups = claims.get(settings.OIDC_GROUPS_CLAIM) or []
        role = accounts.role_of_groups(
            [groups] if isinstance(groups, str) else groups, settings.OIDC_ROLES
        )
        people.take_role(sociallogin.user.pk, role, at=timezone.now(), by="single sign-on")


def _username(user: User) -> str:
    """As the provider calls them, or the part of the address before the @."""
    wanted = user.username or user.email.partition("@")[0]
    kept = "".join(each for each in wanted if each.isalnum() or each in "@.+-_")
    return kept[:140] or "person"
