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

urlpatterns = [
    # Signing in: "sign-in" and "sign-out" by the names that allauth knows.
    path("sign-in", SignIn.as_view(), name="account_login"),
    path("sign-out", LogoutView.as_view(next_page="sign-in"), name="account_logout"),
    path("sign-in/inactive", signing_in.account_inactive, name="account_inactive"),
    path("sign-in/code", second_factor.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/cancelled", single_sign_on.login_cancelled, name="socialaccount_login_cancelled"),
    path("sign-in/failed", single_sign_on.login_error, name="socialaccount_login_error"),
    path("sign-in/with/<slug:provider_id>", openid_connect.login, name="openid_connect_login"),
    path(
        "sign-in/with/<slug:provider_id>/callback",
        openid_connect.callback,
        name="openid_connect_callback",
    ),
    path("password", signing_in.password_reset, name="account_reset_password"),
    path("password/sent", signing_in.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        signing_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/changed",
        signing_in.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    # One's own account. Some of allauth's pages are parts of the one page.
    path("account", account, name="account"),
    path("account", account, name="mfa_index"),
    path("account", account, name="mfa_list_webauthn"),
    path("account", account, name="socialaccount_connections"),
    path("account/sessions/<int:session_id>/end", end_session, name="account-session-end"),
    path("account/sessions/end-others", end_other_sessions, name="account-sessions-end"),
    path("account/password", signing_in.password_change, name="account_change_password"),
    path("account/password/set", signing_in.password_set, name="account_set_password"),
    path("account/confirm", signing_in.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/app", totp.activate_totp, name="mfa_activate_totp"),
    path("account/app/remove", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/codes/new",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/codes/download",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/passkeys/add", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("account/passkeys/<int:pk>/remove", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
]
