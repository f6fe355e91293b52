"""Settings: values read from the environment once, wrong ones refused at start.

The README's environment table documents every variable read here.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ImproperlyConfigured

from finops.environment import (
    database,
    env,
    envbool,
    envint,
    mail_server,
    networks,
    public_url,
    secret,
)
from finops.environment import single_sign_on as _single_sign_on
from finops.exchange import is_currency
from finops.sign_in_settings import *  # noqa: F403
from finops.static_version import folder_of, static_version

BASE_DIR = Path(__file__).resolve().parent.parent


DEBUG = envbool("DEBUG", False)
HOST = env("HOST", "127.0.0.1")
PORT = envint("PORT", 8000, 1, 65_535)

DATA_DIR = (BASE_DIR / env("FARTHING_DATA_DIR", ".data")).resolve()
# A Unix socket's path holds at most 107 bytes, and a data directory may lie deep, so sockets
# live in a private directory of a short name that the data directory determines.
RUNTIME_DIR = Path(
    env(
        "FARTHING_RUNTIME_DIR",
        f"/tmp/farthing-{hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:12]}",
    )
)


SECRET_KEY = secret("SECRET_KEY", DATA_DIR / "secret_key")
USER_HASH_KEY = secret("FARTHING_USER_HASH_KEY", DATA_DIR / "user_hash_key", is_needed=False)
# Supervisors and Prometheus ask from the machine itself, whatever names the world uses.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env("ALLOWED_HOSTS", HOST).split(",")]
# Whose word on the client's address and on TLS is taken, as uvicorn writes it.
TRUSTED_PROXIES = env("TRUSTED_PROXIES", "127.0.0.1")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

# Set where users come over HTTPS, which a reverse proxy in front ends.
HTTPS = envbool("FARTHING_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Asked from inside, by supervisors and Prometheus, over HTTP.
SECURE_REDIRECT_EXEMPT = ["^readyz$", "^metrics$"]
# Whether its sister domains keep to HTTPS too is for the owner of a domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Forms are short, and one has a file. Events have a door of their own, with its own bounds.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "finops",
]

MIDDLEWARE = [
    "finops.pages.headers.headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "finops.pages.sessions.SessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "finops.pages.gate.GateMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "finops.urls"
WSGI_APPLICATION = "finops.wsgi.application"
# Ingest paths must never be redirected (OTLP destinations are disabled by any 3xx).
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "finops.pages.navigation.navigation",
            ],
        },
    },
]


EMBEDDED_POSTGRES = not os.environ.get("DATABASE_URL")
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "farthing",
        "USER": "farthing",
        "HOST": str(RUNTIME_DIR / "postgres"),
        "PORT": "5432",
    }
    if EMBEDDED_POSTGRES
    else database(os.environ["DATABASE_URL"])
}
DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
# Sessions end after so long without a request, and so long after signing in whatever happens.
SESSION_COOKIE_AGE = envint("FARTHING_SESSION_IDLE_HOURS", 24, 1, 8_760) * 3600
SESSION_LASTS_SECONDS = envint("FARTHING_SESSION_DAYS", 14, 1, 365) * 24 * 3600
REQUIRE_SECOND_FACTOR = envbool("FARTHING_REQUIRE_SECOND_FACTOR", False)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
SOCIALACCOUNT_PROVIDERS, OIDC_GROUPS_CLAIM, OIDC_ROLES = _single_sign_on()

# Mail is written to files until a server is named, so that none is lost.
OUTBOX_DIR = DATA_DIR / "outbox"
_mail = mail_server(env("EMAIL_URL", ""))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail[:5]
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _mail.starts_tls, _mail.is_tls, 10
# Where people find the pages: what mails and messages link to.
PUBLIC_URL = public_url(env("FARTHING_PUBLIC_URL", ""), HTTPS, ALLOWED_HOSTS[3], PORT)
# Networks of one's own that channels may send to; without any, only the Internet.
ALLOWED_PRIVATE_ADDRESSES = networks(env("FARTHING_ALLOWED_PRIVATE_ADDRESSES", ""))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("DEFAULT_FROM_EMAIL", "Farthing <farthing@localhost>")

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env("FARTHING_TIME_ZONE", "UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(
        f"FARTHING_TIME_ZONE={TIME_ZONE!r} is no IANA time zone; write one like Europe/Berlin."
    )
REPORTING_ZONE = ZoneInfo(TIME_ZONE)
CURRENCY = env("FARTHING_CURRENCY", "USD")
if not is_currency(CURRENCY):
    raise ImproperlyConfigured(
        f"FARTHING_CURRENCY={CURRENCY!r}: write the code of a currency, such as USD or EUR."
    )
EVENT_RETENTION_DAYS = envint("FARTHING_EVENT_RETENTION_DAYS", 400, 1, 36_500)

STATIC_URL = "static/"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    # Plotly's own package carries the browser bundle that matches it.
    ("plotly", str(folder_of("plotly") / "package_data")),
]
# `manage.py prepare` compresses them there, under names that change with their content; without
# that, as in tests, they are served as they lie.
COLLECTED_STATIC = DATA_DIR / "static" / static_version(BASE_DIR / "static")
WHITENOISE_USE_FINDERS = DEBUG or not COLLECTED_STATIC.is_dir()
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STATIC_ROOT, STATIC_STORAGE = (
    (None, "django.contrib.staticfiles.storage.StaticFilesStorage")
    if WHITENOISE_USE_FINDERS
    else (COLLECTED_STATIC, "whitenoise.storage.CompressedManifestStaticFilesStorage")
)
STORAGES = {"staticfiles": {"BACKEND": STATIC_STORAGE}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "finops.api.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["finops.api.permissions.MayCall"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "finops.api.problems.handle_exception",
    # `format` in an address is an unknown parameter like any other.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Farthing",
    "DESCRIPTION": "FinOps cost observability for LLM inference.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # Other severities than those of alerts.
    "ENUM_NAME_OVERRIDES": {
        "BooksStateEnum": ["draft", "closed", "sent"],
        "AnomalySeverityEnum": ["info", "warning", "critical"],
        "CostItemKindEnum": [
            *("fixed", "overhead", "commitment", "fleet", "credit", "tax", "true_up"),
        ],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "finops.api.ingest_schema.add_ingest",
        "finops.api.authorize_schema.add_authorize",
        "finops.api.otlp_schema.add_otlp",
    ],
}

BROKER_DIR = DATA_DIR / "broker"
EMBEDDED_BROKER = not os.environ.get("BROKER_URL")
CELERY_BROKER_URL = env("BROKER_URL", "filesystem://localhost")
if EMBEDDED_BROKER:
    CELERY_BROKER_TRANSPORT = "finops.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.2,
    }
    # Answers to remote control would wait in files for askers that are gone.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
LOG_LEVEL = env("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured(f"LOG_LEVEL={LOG_LEVEL!r}: write DEBUG, INFO, WARNING or ERROR.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "finops.log_redaction.Redacting",
            "fmt": "%(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "filters": {
        # "Try again later" is an answer, given while a part starts or the database is away.
        "not_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        },
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # One line per request that passes the proxy or a loader is no news.
    "loggers": {
        "httpx": {"level": "WARNING"},
        # It would write down the cookies that pass.
        "httpcore": {"level": "WARNING"},
        # It would write down addresses that open a channel, and what is sent there.
        "slack_sdk": {"level": "WARNING"},
        # Nor are addresses of parts, of which only one is for users and only once all is ready.
        "uvicorn": {"level": "WARNING"},
        "waitress": {"level": "WARNING"},
        "django.request": {"filters": ["not_503"]},
    },
}
