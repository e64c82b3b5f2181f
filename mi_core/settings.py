"""Settings, from `MI_*` variables and a `.env` file that git ignores."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mi_core.errors import SettingsError

API_SECRETS = (
    "api_token",
    "api_read_token",
    "cron_token",
    "privacy_token",
    "webhook_signing_secret",
    "webhook_token",
    "webhook_hmac_secret",
    "capture_key",
)
"""What lets somebody in at the HTTP API."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""This machine: nobody listens on the way."""


class Settings(BaseSettings):
    """What differs between installations. Each field is the variable `MI_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="MI_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    workspace: Path = Field(Path("data"), description="Folder of lake, state, keys and reports.")
    catalog_url: SecretStr | None = Field(
        None,
        description="postgresql:// URL of the lake's catalog; default: SQLite in the workspace.",
    )
    state_url: SecretStr | None = Field(
        None, description="postgresql:// URL of the state; default: SQLite in the workspace."
    )
    hash_keys: SecretStr | None = Field(
        None,
        description="Secret keys of the id hash, newest first, comma-separated, 32 characters or "
        "more each; default: the file hash.keys that the workspace makes for itself.",
    )
    rapidapi_key: SecretStr | None = Field(
        None, description="Key of RapidAPI's Social Links Search; without one, no profiles."
    )
    perplexity_api_key: SecretStr | None = Field(
        None, description="Perplexity's key; without one, of a company only its domain is known."
    )
    openai_api_key: SecretStr | None = Field(
        None, description="OpenAI's key; without one, rules over behaviour give the persona."
    )
    posthog_host: str = Field(
        "https://us.posthog.com", description="Where PostHog's API is, for mi ingest posthog."
    )
    posthog_project_id: int | None = Field(
        None, ge=1, description="The project that mi ingest posthog pulls from."
    )
    posthog_api_key: SecretStr | None = Field(
        None, description="A personal API key of PostHog with the scope Query Read."
    )
    api_token: SecretStr | None = Field(
        None,
        description="Bearer token of the HTTP API, to read and to write. Of this and of each "
        "secret below there may be several, comma-separated, so that they can be changed.",
    )
    api_read_token: SecretStr | None = Field(
        None, description="Bearer token that only reads: scores, figures, reports, metrics."
    )
    cron_token: SecretStr | None = Field(
        None, description="Bearer token of /api/cron, for whoever schedules."
    )
    privacy_token: SecretStr | None = Field(
        None, description="Bearer token to hand out or to erase all that is held on a person."
    )
    webhook_signing_secret: SecretStr | None = Field(
        None, description="Standard Webhooks secret (whsec_…), as PostHog's destination has it."
    )
    webhook_token: SecretStr | None = Field(
        None,
        description="What the sender of a webhook says in Authorization: Bearer … or in "
        "X-Webhook-Token.",
    )
    webhook_hmac_secret: SecretStr | None = Field(
        None,
        description="Secret of the hex HMAC-SHA-256 of the body in X-PostHog-Signature.",
    )
    capture_key: SecretStr | None = Field(
        None, description="Project key (phc_…) with which PostHog's SDKs may send events here."
    )
    api_processes: int = Field(
        2, ge=1, description="Processes that answer the HTTP API's questions."
    )
    api_requests_per_minute: int = Field(
        600, ge=1, description="Requests to the HTTP API from one token or address."
    )
    alert_urls: SecretStr | None = Field(
        None,
        description="Whom the watch tells: addresses as Apprise has them, comma-separated, such as "
        "slack://… or mailto://….",
    )
    churn_webhook_url: SecretStr | None = Field(
        None, description="Where people are sent whose churn risk has become high."
    )
    churn_webhook_secret: SecretStr | None = Field(
        None, description="Standard Webhooks secret (whsec_…) that these are signed with."
    )
    schedule_port: int = Field(
        4200,
        ge=1,
        le=65_535,
        description="Port of this machine at which make schedule has its pages.",
    )
    threads: int | None = Field(None, ge=1, description="Threads for queries; default: all cores.")
    memory_limit: str = Field(
        "2GB",
        description="Memory for queries; what doesn't fit goes to the workspace's folder spill/.",
    )
    lock_timeout_seconds: float = Field(
        600, gt=0, description="How long a write waits for another process's write."
    )

    @field_validator("posthog_project_id", mode="before")
    @classmethod
    def _is_given(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("posthog_host")
    @classmethod
    def _is_posthogs_api(cls, host: str) -> str:
        return _api_host(host)

    @field_validator(
        "rapidapi_key",
        "perplexity_api_key",
        "openai_api_key",
        "posthog_api_key",
        "alert_urls",
        "churn_webhook_url",
        "churn_webhook_secret",
        *API_SECRETS,
    )
    @classmethod
    def _is_set(cls, key: SecretStr | None) -> SecretStr | None:
        """An empty variable is none: `.env` files often have the name with nothing behind it."""
        return key if key and key.get_secret_value().strip(" ,") else None

    @field_validator("churn_webhook_url")
    @classmethod
    def _is_kept_private(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _is_private(url.get_secret_value()):
            raise ValueError("it must be like https://service.example/hooks/churn")
        return url

    @field_validator("catalog_url", "state_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _names_postgresql(url.get_secret_value()):
            raise ValueError("it must be like postgresql://user:password@host:5432/database")
        return url


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with `overrides` on top.

    Raises
    ------
    SettingsError
        A variable has a value that isn't allowed; the value of a secret is not repeated.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "MI_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is not valid: {first['msg']}.") from None


def _is_private(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: HTTPS, or this machine itself."""
    try:
        parts = urlsplit(url)
        named, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    schemes = ("https", "http") if named in LOOPBACK else ("https",)
    return bool(named) and parts.scheme in schemes and not parts.fragment


def _api_host(host: str) -> str:
    """The host without a slash at its end; a key isn't sent to it in the clear."""
    try:
        parts = urlsplit(host)
        named, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, named = urlsplit(""), ""
    schemes = ("https", "http") if named in LOOPBACK else ("https",)
    if not named or parts.scheme not in schemes:
        raise ValueError("it must be like https://us.posthog.com or https://eu.posthog.com")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("it must be a host alone, like https://us.posthog.com")
    if named.endswith(".i.posthog.com"):
        raise ValueError(f"events are sent to {named}; the API is at {named.replace('.i.', '.')}")
    return host.rstrip("/")


def _names_postgresql(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("postgresql", "postgres") and (parts.port or 1) > 0
    except ValueError:
        return False
