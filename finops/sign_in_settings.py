"""Settings of signing in, which django-allauth reads; none of them is the operator's to choose."""

from __future__ import annotations

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"

# Counts of attempts are in the database, where every process and machine sees them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        # Beyond it a third of all is forgotten, so it has to be out of a guesser's reach.
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

ACCOUNT_ADAPTER = "finops.pages.signing_in.AccountAdapter"
ACCOUNT_FORMS = {"login": "finops.pages.signing_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
# Addresses are given by administrators and proved by invitations; there is no open sign-up.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Farthing: "
ACCOUNT_LOGOUT_REDIRECT_URL = "sign-in"
ACCOUNT_SESSION_REMEMBER = True  # as long as the settings of sessions say, not a browser's life
ACCOUNT_RATE_LIMITS = {
    # An address uses up its own attempts before an account's, so that whoever guesses from one
    # place locks out that place only. Known devices are counted by themselves.
    "login_failed": "20/15m/ip,100/d/ip,50/h/key,200/d/key",
    "login_failed_known": "20/15m/key,100/d/key",
    # What is right is not limited: a whole office may sign in from one address.
    "login": None,
}

MFA_FORMS = {"add_webauthn": "finops.pages.signing_in.PasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Farthing"
MFA_TOTP_TOLERANCE = 1  # clocks differ by some seconds
MFA_RECOVERY_CODES_SHOW_ONCE = True

SOCIALACCOUNT_ADAPTER = "finops.pages.signing_in.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# The way to the provider is a link: a strict form-action would stop a form that is sent on there.
SOCIALACCOUNT_LOGIN_ON_GET = True
