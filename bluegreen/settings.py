"""Django's settings, read from the environment; what is Bluegreen's own is in `plans.conf`."""

import os
import sys
from pathlib import Path

import environ

from bluegreen import addresses, embedded_redis, environment, var_dir
from bluegreen.secret_key import kept_secret_key

env = environ.Env()

# Each process reads this first: what it makes on disk is for its owner, the database above all.
os.umask(0o077)
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = var_dir.prepared(Path(env.str("VAR_DIR", default="") or BASE_DIR / "var"))

DEBUG = environment.yes_or_no("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "bluegreen.debug_page.WithoutAddresses"
SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret_key(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])

INSTALLED_APPS = [
    # For its `runserver` alone: every worker and command would load a web server.
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    # The admin's site is Bluegreen's own (plans.admin): nothing is to register itself on it.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_rq",
    "channels",
    "ninja",
    "csp",
    "plans",
]

MIDDLEWARE = [
    # Whatever answers below, also with a file or a refusal, the browser is bound.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "plans.web.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "bluegreen.urls"
ASGI_APPLICATION = "bluegreen.asgi.application"

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
                "plans.web.stop.stop_of_page",
            ],
        },
    }
]

# --- Database ------------------------------------------------------------------------------

POSTGRESQL_SESSION = {
    # Who is frozen inside a transaction must not hold a plan's journal for long; a worker for half
    # a lease, or tasks of other workers that wait there lose theirs. Others work for seconds
    # between two statements, when a plan of 20,000 tenants is created or rolled back.
    "idle_in_transaction_session_timeout": "5s" if sys.argv[1:2] == ["worker"] else "20s",
    # Nor one whose machine is cut off, nor those of its sessions that wait for the lock: each
    # would get it in its turn, for nobody.
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 5,
    "tcp_user_timeout": "10s",
}
"""What PostgreSQL is told for each connection."""
DATABASES = {
    "default": addresses.database(
        "DATABASE_URL",
        env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'bluegreen.sqlite3'}",
    )
}
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "bluegreen.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        # Deferred transactions fail with "database is locked" when they turn into writers.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Each thread of a worker has a connection of its own, and would fill 2 MB for it.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA cache_size=-512;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        # A server that a cut cable hides must look away, not slow: else whoever waits for its
        # answer waits for hours. DATABASE_URL may name other limits (`?connect_timeout=3`).
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 5,
        "tcp_user_timeout": 10_000,
        **DATABASES["default"].get("OPTIONS", {}),
        "options": " ".join(f"-c {name}={value}" for name, value in POSTGRESQL_SESSION.items()),
        # The same few statements run for every stage: parse and plan them once a connection.
        "server_side_binding": True,
        "prepare_threshold": 3,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: queue and sockets ----------------------------------------------------------------

REDIS_URL = addresses.redis("REDIS_URL", env.str("REDIS_URL", default="") or embedded_redis.url())
TENANT_REDIS_URL = addresses.redis(
    "TENANT_REDIS_URL", env.str("TENANT_REDIS_URL", default="") or REDIS_URL
)

RQ_QUEUES = {
    "default": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": -1,
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 5, "health_check_interval": 30},
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
}

CHANNEL_LAYERS = {
    "default": {
        # The core layer loses most of a burst; this one loses only what came while it was away,
        # and every reader has a cursor.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 5}],
            "prefix": "bluegreen",
        },
    }
}

# --- Who is there ----------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

# --- Security --------------------------------------------------------------------------------

INSECURE_COOKIES = environment.yes_or_no("INSECURE_COOKIES", default=True)
"""Plain HTTP on loopback is the default; behind TLS set INSECURE_COOKIES=false."""
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_COOKIES
SECURE_SSL_REDIRECT = not INSECURE_COOKIES
SECURE_HSTS_SECONDS = 0 if INSECURE_COOKIES else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_COOKIES
SECURE_PROXY_SSL_HEADER = None if INSECURE_COOKIES else ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "plans.web.error_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Language, time, files -------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["bluegreen.formats"]
LANGUAGE_COOKIE_AGE = 31_536_000  # A year, in seconds: the choice outlives the session.
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not INSECURE_COOKIES
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.time_zone("TIME_ZONE", default="UTC")

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns of a missing one.
# The fixed list of processes has no `collectstatic`: files are found where they lie.
WHITENOISE_USE_FINDERS = True

LOG_FORMAT = environment.one_of("LOG_FORMAT", default="line", choices=("line", "json"))
"""`line` for people, `json` for collectors."""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "bluegreen.logs.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "bluegreen.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": environment.log_level("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "rq": {"level": "WARNING"},
    },
}
