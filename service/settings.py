"""Settings of the service: a flag, an environment variable ``SPRITEVAE_...`` or a line in ``.env`` for each."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliSuppress,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from service import environment
from service.security import api_keys, hosts, proxies
from service.security.api_keys import Key
from service.types import Device, LogFormat, LogLevel

DEFAULT_MODEL = "dsprites"
# Values of a JSON body for each item or frame that a request may have.
JSON_VALUES_PER_ITEM = 512


class Settings(BaseSettings):
    """Serve bundles over HTTP. A flag wins over the environment, the environment over .env."""

    model_config = SettingsConfigDict(
        env_prefix=environment.PREFIX,
        env_file=environment.ENV_FILE,
        env_file_encoding="utf-8-sig",  # UTF-8, with a byte order mark or without
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        cli_prog_name="spritevae serve",
        cli_kebab_case=True,
        cli_avoid_json=True,
        cli_implicit_flags=True,
        cli_show_env_vars=True,
    )

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; :: takes IPv6 and IPv4")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    uds: Path | None = Field(None, description="Unix socket to listen on, instead of host and port")
    fd: int | None = Field(
        None, ge=0, description="file descriptor of an open socket to listen on, instead of host and port"
    )
    root_path: Annotated[str, AfterValidator(proxies.path_prefix)] = Field(
        "", description="path that a proxy serves the service under, like /sprites, whether it takes it off or not"
    )
    forwarded_allow_ips: Annotated[tuple[Annotated[str, AfterValidator(proxies.trusted_proxy)], ...], NoDecode] = Field(
        (),
        description="proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, with commas between: addresses, "
        "networks, *; otherwise none",
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        le=86400,
        description="how long a client may leave a connection idle; more than the proxy in front, or it answers 502",
    )
    model: Annotated[tuple[str, ...], NoDecode] = Field(
        (DEFAULT_MODEL,),
        min_length=1,
        description="a bundle: a folder, or the name of a shipped one; repeat it, or put commas between, for several; "
        "the first is the default model",
    )
    workers: int = Field(1, ge=1, le=256, description="processes that share the port")
    device: Device = Field(
        "auto", description="where models run: auto takes CUDA where it works, others are insisted on"
    )
    cuda_graphs: bool = Field(False, description="on a GPU, replay recorded graphs of each size of batch")
    threads: int = Field(1, ge=1, le=256, description="onnxruntime threads of one inference")
    batches: int | None = Field(
        None,
        ge=1,
        le=256,
        description="batches that run at once in each process; otherwise as many as there are cores for, 1 on a GPU",
    )
    max_requests: int = Field(1024, ge=1, description="most requests in hand at once, in each process")
    max_queue: int = Field(1024, ge=1, description="most images that wait for one model")
    max_body_bytes: int = Field(16 * 2**20, ge=1024, description="largest request body")
    max_bytes_in_hand: int = Field(
        2**28,
        ge=4096,
        description="most bytes of bodies and of answers that clients have not taken, in each process; half for one "
        "address",
    )
    max_items: int = Field(256, ge=1, description="most images or sets of attributes in one request")
    max_pixels: int = Field(2**24, ge=1, description="most pixels of one request's image files, all frames together")
    max_steps: int = Field(256, ge=2, description="most frames of one segment of an interpolation")
    max_frames: int = Field(512, ge=2, description="most frames of one interpolation")
    reload_seconds: float = Field(
        0, ge=0, le=86400, description="how often to look whether a bundle has changed, to serve the new one; 0: never"
    )
    api_keys: CliSuppress[SecretStr | None] = Field(
        None, description="API keys, with commas between; never as a flag, which every user of the machine can see"
    )
    api_keys_file: Path | None = Field(
        None,
        description="file of API keys, one a line: KEY or KEY:admin, KEY being itself or sha256:HEX; "
        "SPRITEVAE_API_KEYS may hold some, too. With any, requests need one",
    )
    admin: bool = Field(
        False, description="let clients with an API key of scope admin load and unload models (/v2/repository)"
    )
    allowed_hosts: Annotated[tuple[Annotated[str, AfterValidator(hosts.pattern)], ...], NoDecode] = Field(
        (),
        description="hosts that requests may be for, with commas between: names, *.example.com, *; otherwise any, "
        "but only localhost and its addresses over a loopback address",
    )
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(hosts.origin)], ...], NoDecode] = Field(
        (), description="origins whose pages may use the service, with commas between, or *; otherwise none"
    )
    drain_seconds: float = Field(
        5,
        ge=0,
        le=600,
        description="how long to serve on, not ready any more, after SIGTERM: the time load balancers take to notice",
    )
    cache_bytes: int = Field(
        32 * 2**20, ge=0, description="size of the answers of /decode that are kept, in each process; 0 keeps none"
    )
    telemetry: bool = Field(
        False, description="send OpenTelemetry traces, metrics and logs to where the OTEL_... variables say"
    )
    log_level: LogLevel = Field("info", description="least severe messages to log; info has one for each request")
    log_format: LogFormat = Field("auto", description="json, or text for people; auto writes text to terminals only")

    @field_validator("model", "allowed_hosts", "cors_origins", "forwarded_allow_ips", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any, field: ValidationInfo) -> Any:
        if isinstance(value, str):
            value = [entry for part in value.split(",") if (entry := part.strip())]
        return value or cls.model_fields[str(field.field_name)].default

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, without the variables that are Kubernetes' own, and .env."""
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = environment.without_service_links(env_settings.env_vars)
        return init_settings, env_settings, dotenv_settings

    @cached_property
    def max_json_values(self) -> int:
        """Most values of a JSON body."""
        return JSON_VALUES_PER_ITEM * max(self.max_items, self.max_frames)

    @cached_property
    def keys(self) -> list[Key]:
        """The API keys; empty if requests need none. Raises ValueError for a text or file without any key."""
        texts = {}
        if self.api_keys is not None:
            texts["SPRITEVAE_API_KEYS"] = self.api_keys.get_secret_value()
        if self.api_keys_file is not None:
            texts[str(self.api_keys_file)] = api_keys.read(self.api_keys_file)
        return api_keys.parse(texts)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        """Refuse limits that contradict each other, and settings that need another one which is missing."""
        for name, other in (("max_items", "max_queue"), ("max_frames", "max_queue")):
            if getattr(self, name) > getattr(self, other):
                raise ValueError(
                    f"{name} {getattr(self, name)} is more than {other} {getattr(self, other)}, so that it can't be had"
                )
        if 2 * self.max_body_bytes > self.max_bytes_in_hand:
            raise ValueError(
                f"max_body_bytes {self.max_body_bytes} is more than half of max_bytes_in_hand "
                f"{self.max_bytes_in_hand}, so that it can't be had"
            )
        if self.uds and self.fd is not None:
            raise ValueError("uds and fd exclude each other: the service listens on one of them")
        if self.telemetry and not find_spec("opentelemetry.sdk"):
            raise ValueError("telemetry needs more packages: pip install 'spritevae[telemetry]'")
        if self.telemetry and not any(re.fullmatch(r"OTEL_EXPORTER_OTLP_(\w+_)?ENDPOINT", name) for name in os.environ):
            raise ValueError("telemetry has nowhere to go: OTEL_EXPORTER_OTLP_ENDPOINT says where")
        may_administer = any(key.admin for key in self.keys)
        if self.admin and not may_administer:
            raise ValueError("admin needs an API key of scope admin: SPRITEVAE_API_KEYS=KEY:admin, or api_keys_file")
        if self.admin and self.workers > 1:
            raise ValueError(
                f"admin needs workers 1, not {self.workers}: a request reaches one only; reload_seconds, all"
            )
        return self


def read_settings(flags: Sequence[str] = ()) -> Settings:
    """The settings of flags, environment and .env; raises ValueError that lists what is wrong, a line each."""
    if environment.has_flag("api_keys", flags):
        raise ValueError(
            "--api-keys: every user of this machine can see flags; SPRITEVAE_API_KEYS or --api-keys-file has them"
        )
    environment.check_env_file()
    try:
        settings = CliApp.run(Settings, cli_args=list(flags))
    except ValidationError as error:
        raise ValueError("\n".join(_described(each, flags) for each in error.errors())) from None
    except SettingsError as error:
        raise ValueError(str(error)) from None
    # In the environment, host and port may stand for all services, as in a container image.
    if settings.uds or settings.fd is not None:
        for name in ("host", "port"):
            if environment.has_flag(name, flags):
                raise ValueError(f"--{name}: excludes uds and fd, which say where to listen, too")
    return settings


def _described(error: ErrorDetails, flags: Sequence[str]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # it is about several settings together
        return message
    return f"{environment.source(str(error['loc'][0]), flags)}: {message}, got {error['input']!r}"
