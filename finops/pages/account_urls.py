"""Addresses of signing in and of one's own account: those of django-allauth that are in use.

They keep allauth's names, by which it looks for them. It has more (sign-up, more addresses of mail,
codes by mail): what is not here is not there.
"""

from __future__ import annotations

from allauth.account import views as signing_in
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as single_sign_on
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from finops.pages.account import account, end_other_sessions, end_session
from finops.pages.accounts import SignIn

_ADDRESSES = (
    # Signing in: "sign-in" and "sign-out" by the names that allauth knows.
    ("sign-in", SignIn.as_view(), "account_login"),
    ("sign-in/inactive", signing_in.account_inactive, "account_inactive"),
    ("sign-in/code", second_factor.authenticate, "mfa_authenticate"),
    ("sign-in/passkey", passkeys.login_webauthn, "mfa_login_webauthn"),
    ("sign-in/cancelled", single_sign_on.login_cancelled, "socialaccount_login_cancelled"),
    ("sign-in/failed", single_sign_on.login_error, "socialaccount_login_error"),
    ("sign-in/with/<slug:provider_id>", openid_connect.login, "openid_connect_login"),
    (
        "sign-in/with/<slug:provider_id>/callback",
        openid_connect.callback,
        "openid_connect_callback",
    ),
    ("password", signing_in.password_reset, "account_reset_password"),
    ("password/sent", signing_in.password_reset_done, "account_reset_password_done"),
    (
        "password/changed",
        signing_in.password_reset_from_key_done,
        "account_reset_password_from_key_done",
    ),
    # One's own account. Some of allauth's pages are parts of the one page.
    ("account", account, "account"),
    ("account", account, "mfa_index"),
    ("account", account, "mfa_list_webauthn"),
    ("account", account, "socialaccount_connections"),
    ("account/sessions/<int:session_id>/end", end_session, "account-session-end"),
    ("account/sessions/end-others", end_other_sessions, "account-sessions-end"),
    ("account/password", signing_in.password_change, "account_change_password"),
    ("account/password/set", signing_in.password_set, "account_set_password"),
    ("account/confirm", signing_in.reauthenticate, "account_reauthenticate"),
    ("account/confirm/code", second_factor.reauthenticate, "mfa_reauthenticate"),
    ("account/confirm/passkey", passkeys.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
    ("account/app", totp.activate_totp, "mfa_activate_totp"),
    ("account/app/remove", totp.deactivate_totp, "mfa_deactivate_totp"),
    ("account/codes", recovery_codes.view_recovery_codes, "mfa_view_recovery_codes"),
    ("account/codes/new", recovery_codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    (
        "account/codes/download",
        recovery_codes.download_recovery_codes,
        "mfa_download_recovery_codes",
    ),
    ("account/passkeys/add", passkeys.add_webauthn, "mfa_add_webauthn"),
    ("account/passkeys/<int:pk>", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    ("account/passkeys/<int:pk>/remove", passkeys.remove_webauthn, "mfa_remove_webauthn"),
)

urlpatterns = [
    path("sign-out", LogoutView.as_view(next_page="sign-in"), name="account_logout"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        signing_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    *(path(address, view, name=name) for address, view, name in _ADDRESSES),
]
