"""Settings: from the command line, the environment (LINGXUE_*) and one TOML file.

Only reads and checks values; constructs nothing and opens nothing. Later
sources give way to earlier ones: command line, environment, `lingxue.toml`
in the working directory (or the file LINGXUE_CONFIG names), defaults.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag.errors import BadSettings
from rag.saved import read_saved

ENV_PREFIX = "LINGXUE_"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def shipped_dir(name: str) -> Path:
    """Return a top-level folder of the project (knowledge, prompts), as cloned or as installed."""
    here = Path(__file__).resolve().parent
    cloned = here.parent / name
    return cloned if cloned.is_dir() else here / "_shipped" / name


class Settings(BaseSettings):
    """Everything a user can set; each name is LINGXUE_ and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("lingxue", appauthor=False),
        description="数据目录：资料库、索引、记录都在这里",
    )
    knowledge_dir: Path = Field(
        default_factory=lambda: shipped_dir("knowledge"), description="资料文件夹，默认是自带的 knowledge/"
    )
    encoder: str = Field(
        default="", description="向量模型：留空用自带的，或填 sentence-transformers 模型的目录、名称"
    )
    reranker: str = Field(
        default="",
        description="重排模型：留空用自带的排序，off 不重排（供对比），或填 CrossEncoder 模型的目录、名称",
    )
    llm: Literal["off", "auto"] = Field(default="auto", description="大模型：auto 设置了才用，off 一律不用")
    llm_base_url: str = Field(
        default="", description="大模型服务地址（OpenAI 兼容），如 http://127.0.0.1:11434/v1"
    )
    llm_model: str = Field(default="", description="大模型名称，如 qwen2.5:7b、deepseek-chat")
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="大模型密钥，本机服务可留空")
    llm_provider: str = Field(default="openai", description="大模型接口类型，OpenAI 兼容的都是 openai")
    llm_timeout_s: float = Field(default=60.0, gt=0, description="等大模型的最长秒数")
    llm_max_tokens: int = Field(default=1500, gt=0, description="大模型一次回答的最多 token 数")
    llm_private: Literal["ask", "send"] = Field(
        default="ask",
        description="要发给外部大模型的内容里有身份证号、电话、银行卡号时：ask 先停下来问，send 照发"
        "（只用于学校自己的大模型服务器）",
    )
    chroma_url: str = Field(
        default="", description="Chroma 向量服务器地址，如 http://127.0.0.1:8000；留空则存在数据目录里"
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="对话、账号等记录的数据库（SQLAlchemy 地址），留空用数据目录里的 SQLite",
    )
    login: Literal["auto", "always"] = Field(
        default="auto", description="登录：auto 只在本机用时不登录，always 一律登录（放在反向代理后面时用）"
    )
    log: Literal["text", "json"] = Field(
        default="text", description="网页服务的日志：json 每个请求一行（有编号，没有问题内容）"
    )
    host: str = Field(default="127.0.0.1", description="网页服务地址")
    port: int = Field(default=7860, ge=1, le=65535, description="网页服务端口")

    @property
    def login_required(self) -> bool:
        """Whether people have to log in: always where other computers can come in."""
        return self.login == "always" or self.host not in LOOPBACK

    @property
    def model_configured(self) -> bool:
        """Whether a language model is to be used."""
        return self.llm == "auto" and bool(self.llm_model or self.llm_base_url)

    @property
    def model_host(self) -> str:
        """Who gets what is sent to the language model, as people call it."""
        return urlsplit(self.llm_base_url).hostname or "模型服务商"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; .env files are not read."""
        path = Path(os.environ.get(f"{ENV_PREFIX}CONFIG", "lingxue.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)


def load_settings(**given: Any) -> Settings:
    """Build the settings; values given here win. Raise BadSettings for a value that cannot be used."""
    given = {name: value for name, value in given.items() if value is not None}
    try:
        settings = Settings(**given)
        for name, value in read_saved(settings.data_dir).items():
            if name not in settings.model_fields_set:  # what is set outside wins
                given[name] = value
        return Settings(**given)
    except ValidationError as err:
        first = err.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        raise BadSettings(
            name=f"{ENV_PREFIX}{field.upper()}", value=first.get("input"), reason=first["msg"]
        ) from err
    except ValueError as err:  # the TOML file itself
        raise BadSettings(name="lingxue.toml", value="", reason=str(err)) from err


def unknown_variables() -> list[str]:
    """Names in the environment that look like settings and are none, for `doctor`."""
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{ENV_PREFIX}CONFIG"}
    return sorted(name for name in os.environ if name.startswith(ENV_PREFIX) and name not in known)
