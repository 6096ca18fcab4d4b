"""The desk's settings: `TRIAGE_*` variables, the same names in a `.env` file, or files. One frozen object."""

import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, HttpUrl, SecretStr, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.access.addresses import checked_address, checked_origin
from core.access.roles import Role, read_names
from core.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
SECRETS = Path("/run/secrets")  # where containers have them
QWEN3_INSTRUCTION = (
    "Given a patient's message or a clinical note, represent what a triage nurse needs: department, urgency, condition"
)
WHOLE = (
    "sign-in needs all three of TRIAGE_OIDC_METADATA_URL, TRIAGE_OIDC_CLIENT_ID and TRIAGE_OIDC_CLIENT_SECRET, or none"
)


class Settings(BaseSettings):
    """What a site can set. Each field is the environment variable `TRIAGE_` + its name in capitals.

    Attributes:
        embedding_url: base URL of an OpenAI-compatible endpoint (`http://host:30000/v1`), or several with commas
            between them, which serve the same model; none: the embedded one.
        embedding_model: model name sent to the endpoint.
        embedding_api_key: key sent as a bearer token, if the endpoint wants one.
        embedding_instruction: Qwen3's instruction; empty for none; unset: the project's own for Qwen3 models.
        embedding_dimensions: keep only this many leading components (Matryoshka models) and renormalise.
        embedding_max_tokens: longest text sent, in estimated tokens, instruction included; longer ones are cut.
        embedding_concurrency: requests under way at once.
        embedding_priority: sent with a person's note to a server that serves higher numbers first (SGLang with
            `--enable-priority-scheduling`); unset: never sent.
        embedding_timeout: seconds until a pasted note is given up, all attempts together.
        cache_url: `sqlite:///path`, `redis://host:port/0` or `none`.
        database_url: SQLAlchemy URL of the records (`sqlite:///path`, `postgresql+psycopg://…`); unset: SQLite in
            `data_dir`.
        keep_texts_days: days that the text of an overridden note is kept, encrypted; 0: none is.
        texts_key: Fernet's key of those texts.
        model: the bundle's folder; unset: the registry's current one, else the default bundle shipped.
        acuity_scheme: names, colours and times of the acuity levels: a file in `models/schemes`, or the path of one.
        api_notes_per_minute: notes that each key of the API may send in a minute.
        api_jobs_per_hour: tables that each key of the API may send in an hour.
        log_format: how the server's log is written, `json` or `text`; unset: text on a terminal, else JSON.
        oidc_metadata_url: where the provider of sign-in describes itself (`…/.well-known/openid-configuration`); with
            the two after it, or none of the three: then nobody signs in.
        oidc_client_id: how the provider knows the desk.
        oidc_client_secret: what the desk proves that with.
        public_url: scheme, host and port under which people reach the desk.
        cookie_secret: signs cookies; unset: made once and kept in `data_dir`.
        roles_claim: the claim that holds a person's roles.
        roles: the site's names for roles, `triage-nurses=nurse,it=administrator`; unset: our own names.
        idle_minutes: a person is signed out when nobody used the page for so long.
        language: language of the pages and messages, `zh` or `en`; unset: the reader's own.
        data_dir: where the desk keeps its cache, registry and records.
    """

    model_config = SettingsConfigDict(
        env_prefix="TRIAGE_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    embedding_url: str | None = None
    embedding_model: str | None = None
    embedding_api_key: SecretStr | None = None
    embedding_instruction: str | None = None
    embedding_dimensions: int | None = Field(None, ge=8, le=65536)
    embedding_max_tokens: int | None = Field(None, ge=16, le=131072)
    embedding_concurrency: int = Field(8, ge=1, le=256)
    embedding_priority: int | None = Field(None, ge=-1000, le=1000)
    embedding_timeout: float = Field(10.0, gt=0, le=600)
    cache_url: str | None = None
    database_url: SecretStr | None = None
    keep_texts_days: int = Field(0, ge=0, le=3650)
    texts_key: SecretStr | None = Field(None, validate_default=True)
    model: Path | None = None
    acuity_scheme: str = "esi"
    api_notes_per_minute: int = Field(300, ge=1, le=1_000_000)
    api_jobs_per_hour: int = Field(10, ge=1, le=10_000)
    log_format: Literal["json", "text"] | None = None
    oidc_metadata_url: str | None = None
    oidc_client_id: str | None = Field(None, validate_default=True)
    oidc_client_secret: SecretStr | None = Field(None, validate_default=True)
    public_url: str | None = Field(None, validate_default=True)
    cookie_secret: SecretStr | None = None
    roles_claim: str = Field("roles", min_length=1, max_length=200)
    roles: str | None = None
    idle_minutes: float = Field(15.0, ge=0.02, le=1440)
    language: Literal["zh", "en"] | None = None
    data_dir: Path = Field(default_factory=lambda: user_data_path("triage-desk"))

    @field_validator("embedding_url")
    @classmethod
    def _url_is_http(cls, url: str | None) -> str | None:
        urls = [each.strip().rstrip("/") for each in (url or "").split(",") if each.strip()]
        for each in urls:
            TypeAdapter(HttpUrl).validate_python(each)
        return ",".join(dict.fromkeys(urls)) or None

    @field_validator("model", "log_format", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        return None if value == "" else value  # a variable that is there but empty

    @field_validator("cache_url")
    @classmethod
    def _cache_is_known(cls, url: str | None) -> str | None:
        if url and not url.startswith(("sqlite:///", "redis://", "rediss://", "unix://")) and url != "none":
            raise ValueError("expected sqlite:///PATH, redis://HOST:PORT/0 or none")
        return url or None

    @field_validator("texts_key")
    @classmethod
    def _texts_have_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            if info.data.get("keep_texts_days"):
                raise ValueError(
                    "TRIAGE_KEEP_TEXTS_DAYS keeps texts only with a key; make one with: triage records key"
                )
            return None
        try:
            is_key = len(urlsafe_b64decode(key.get_secret_value())) == 32
        except ValueError:
            is_key = False
        if not is_key:
            raise ValueError("expected a Fernet key (32 bytes as base64); make one with: triage records key")
        return key

    @field_validator("oidc_metadata_url")
    @classmethod
    def _provider_is_safe(cls, url: str | None) -> str | None:
        return checked_address(url) if url and url.strip() else None

    @field_validator("oidc_client_id", "oidc_client_secret")
    @classmethod
    def _sign_in_is_whole(cls, given: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if "oidc_metadata_url" not in info.data:
            return given  # wrong by itself, which is said already
        if bool(text and text.strip()) != bool(info.data["oidc_metadata_url"]):
            raise ValueError(WHOLE)
        return given if text and text.strip() else None

    @field_validator("public_url")
    @classmethod
    def _desk_has_an_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and url.strip():
            return checked_origin(url)
        if info.data.get("oidc_metadata_url"):
            raise ValueError("sign-in needs the address under which people reach the desk: https://triage.example.org")
        return None

    @field_validator("cookie_secret")
    @classmethod
    def _secret_is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None or not secret.get_secret_value():
            return None
        if len(secret.get_secret_value()) < 32:
            raise ValueError("expected 32 characters or more that nobody can guess; unset it to have one made")
        return secret

    @field_validator("roles")
    @classmethod
    def _roles_are_known(cls, text: str | None) -> str | None:
        read_names(text)
        return text

    @property
    def signs_in(self) -> bool:
        """Whether people sign in."""
        return self.oidc_metadata_url is not None

    @property
    def role_names(self) -> Mapping[str, Role]:
        """The site's names for roles."""
        return read_names(self.roles)

    @property
    def embedding_urls(self) -> tuple[str, ...]:
        """The endpoints' base URLs; none for the embedded one."""
        return tuple(self.embedding_url.split(",")) if self.embedding_url else ()

    @property
    def effective_cache_url(self) -> str:
        """The cache to use: the one set, else a SQLite file under `data_dir`."""
        return self.cache_url or f"sqlite:///{self.data_dir / 'cache' / 'embeddings.sqlite'}"

    @property
    def effective_database_url(self) -> str:
        """The records' database: the one set, else a SQLite file under `data_dir`."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'records.sqlite'}"


def load_settings(**overrides: object) -> Settings:
    """The settings in force: `overrides` first, then the environment, then `.env`, then files of secrets.

    Such a file has the name of a setting (`TRIAGE_DATABASE_URL`) and holds its value. They are looked for in the folder
    that `TRIAGE_SECRETS_DIR` names, else in `/run/secrets`.

    Raises:
        SettingsError: one line for every setting that can't be used, naming variable, value and what is expected.
    """
    try:
        return Settings(_secrets_dir=_secrets_dir(), **overrides)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        lines = [
            f"TRIAGE_{name.upper()}={_shown(name, problem['input'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_context=False)
            for name in [str(problem["loc"][0])]
        ]
        raise SettingsError("\n".join(lines)) from None


def _secrets_dir() -> Path | None:
    """The folder with files of secrets, if there is one.

    Raises:
        SettingsError: the one that is named is not there, or a file in it is not for this user.
    """
    named = os.environ.get("TRIAGE_SECRETS_DIR")
    folder = Path(named) if named else SECRETS
    if folder.is_dir():
        if unreadable := [str(file) for file in folder.glob("TRIAGE_*") if not os.access(file, os.R_OK)]:
            raise SettingsError(f"{', '.join(unreadable)} can't be read. The user that runs the desk must be able to.")
        return folder
    if named:
        raise SettingsError(f"TRIAGE_SECRETS_DIR={named!r}: there is no such folder. Name it rightly, or unset it.")
    return None


def _shown(name: str, value: object) -> str:
    """A wrong value as the message has it; of a secret only whether there is one."""
    if "SecretStr" not in str(Settings.model_fields[name].annotation):
        return repr(value)
    return "(hidden)" if value else ""
