"""The environment into Django's settings. Nothing set is the demo, embedded in the state directory (`var/`).

`ATHENA_DASH_ENV=production` starts only with secrets and hosts of its own. docs/adr says why which piece.
"""

from __future__ import annotations

from pathlib import Path

import environ  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from athena_dash.core.embedded.postgres import NAME, USER, Postgres
from athena_dash.core.embedded.state import State
from athena_dash.core.embedded.valkey import Valkey
from athena_dash.core.required import missing_in_production

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

ENVIRONMENT = env.str("ATHENA_DASH_ENV", default="demo")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=False)
STATE = State.from_environment()
# The file of a world's time (integrations.sandbox.world_time), for torture runs and measurements; else the machine's.
CLOCK = env.str("ATHENA_DASH_CLOCK", default="")

if ENVIRONMENT not in {"demo", "test", "production"}:
    raise ImproperlyConfigured(f"ATHENA_DASH_ENV is {ENVIRONMENT!r}: demo, test or production")
if PRODUCTION and (faults := missing_in_production(env.ENVIRON, debug=DEBUG)):
    raise ImproperlyConfigured(
        "this production would not be safe to start:\n" + "\n".join(f"- {f}" for f in faults)
    )

SECRET_KEY = env.str("SECRET_KEY", default="") or STATE.secret("secret_key")
# The first one encrypts, all of them decrypt: put a new key in front to rotate.
ENCRYPTION_KEYS = env.list("ATHENA_DASH_ENCRYPTION_KEY", default=[]) or [
    STATE.secret("encryption_key", lambda: Fernet.generate_key().decode())
]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])

INSTALLED_APPS = [
    "athena_dash.core",
    "athena_dash.accounts",
    "athena_dash.practices",
    "athena_dash.records",
    "athena_dash.correlation",
    "athena_dash.sync",
    "athena_dash.recovery",
    "athena_dash.worklist",
    "athena_dash.operations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_rq",
]

MIDDLEWARE = [
    "athena_dash.core.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "athena_dash.core.middleware.NoStore",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "athena_dash.core.middleware.Toast",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "athena_dash.urls"
WSGI_APPLICATION = "athena_dash.wsgi.application"
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
            ]
        },
    }
]

# -- where things are kept -----------------------------------------------------------------------------

if DATABASE_URL := env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
else:
    embedded = Postgres(STATE)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": NAME,
            "USER": USER,
            "PASSWORD": embedded.password,
            "HOST": str(embedded.socket),
        }
    }
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
# What core.one_trip asks again is planned once; Django's own cursors prepare nothing.
DATABASES["default"]["OPTIONS"] = {"prepare_threshold": 1} | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or Valkey(STATE).url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "athena-dash",
    }
}
# live: what feeds bring in; replay: what a person is waiting for; backfill: history, which can wait.
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": seconds}
    for name, seconds in {"live": 300, "replay": 600, "backfill": 1800}.items()
}
RQ = {"COMMIT_MODE": "on_db_commit", "WORKER_CLASS": "athena_dash.core.worker.Worker"}
RQ_SHOW_ADMIN_LINK = False
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # none: no /metrics

STATIC_URL = "static/"
STATIC_ROOT = STATE.root / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = ENVIRONMENT == "test"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# -- people --------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Cookies know no port: two demos on one machine must not sign each other's users out.
SESSION_COOKIE_NAME = "session" if PRODUCTION else f"session-{STATE.key}"
CSRF_COOKIE_NAME = "csrf" if PRODUCTION else f"csrf-{STATE.key}"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# -- mail: alerts ---------------------------------------------------------------------------------------

globals().update(
    env.email_url("EMAIL_URL", default="smtp://localhost:25" if PRODUCTION else "consolemail://")
)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="athena-dash@localhost")

# -- words, time, logs ---------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "athena_dash.core.logging.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        # These write whole URLs, and athena's hold names and birth dates.
        **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "urllib3")},
    },
}
