"""The 设置 screen as HTML: the model, what works and what does not, disk use, accounts, tokens, privacy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from rag.config import Settings
from rag.doctor import Finding
from rag.records.accounts import MIN_PASSWORD, ROLES, User
from rag.records.acts import Act
from rag.records.tokens import Token
from rag.web.fragments import button, choice, field, table
from rag.web.markup import escape

PROVIDERS: tuple[tuple[str, str], ...] = (("openai", "OpenAI 兼容"),)
_STATES = {"正常": "lx-ok", "受限": "lx-limited", "不可用": "lx-broken"}
_KEPT = "已保存，不再显示；留空就是不改"


def model_html(settings: Settings, fixed: Iterable[str]) -> str:
    """Return the form of the language model; fields in `fixed` are set outside and only shown."""
    locked = set(fixed)

    def line(name: str, label: str, value: str, hint: str, kind: str = "text") -> str:
        if name in locked:
            hint = "由命令行、环境变量或 lingxue.toml 设定，这里不能改"
        more = "disabled" if name in locked else 'autocomplete="off"'
        return field(name, label, value, hint=hint, kind=kind, more=more)

    providers: tuple[tuple[str, str], ...] = PROVIDERS
    if settings.llm_provider not in dict(PROVIDERS):
        providers = (*PROVIDERS, (settings.llm_provider, settings.llm_provider))
    has_key = bool(settings.llm_api_key.get_secret_value())
    state = "正在使用大模型。" if settings.model_configured else "现在不用大模型，回答直接摘自资料。"
    if settings.llm == "off":
        state = "启动时用 --llm off 关掉了大模型，下面的设置暂不起作用。"
    forget = '<button name="act" value="forget">不用大模型（清除设置）</button>'
    return (
        f"<h3>大模型</h3><p>{escape(state)}不设置也能用。"
        "DeepSeek、通义千问、Ollama、vLLM 等 OpenAI 兼容的服务都可以。</p>"
        '<form class="lx-form" method="post" action="/settings/model"><div class="lx-grid">'
        + choice("llm_provider", "接口类型", providers, settings.llm_provider)
        + line("llm_base_url", "服务地址", settings.llm_base_url, "如 http://127.0.0.1:11434/v1")
        + line("llm_model", "模型名称", settings.llm_model, "如 qwen2.5:7b、deepseek-chat")
        + line("llm_api_key", "密钥", "", _KEPT if has_key else "本机服务可不填", "password")
        + '</div><div class="lx-row"><button class="lx-primary" name="act" value="save">保存</button>'
        + f'<button name="act" value="test">保存并试一下</button>{forget}</div></form>'
    )


def findings_html(findings: Sequence[Finding] | None) -> str:
    """Return what was found, or the button that looks."""
    if findings is None:
        return f"<h3>自检</h3><p>看看哪些能用、哪些受限、怎么办。</p>{button('/settings/check', '开始自检')}"
    rows = (
        (f'<span class="lx-state {_STATES[f.state]}">{f.state}</span>', escape(f.name), escape(f.detail))
        for f in findings
    )
    listed = table("自检结果", ("状态", "项目", "说明"), rows)
    return f"<h3>自检</h3>{listed}{button('/settings/check', '再查一次')}"


def disk_html(folder: str, sizes: Mapping[str, int]) -> str:
    """Return how much the data directory holds, by part, in bytes."""
    rows = ((escape(name), f"{size / 2**20:,.1f} MB") for name, size in sizes.items())
    return (
        f'<h3>磁盘占用</h3><p>数据目录：<span class="lx-quiet">{escape(folder)}</span>。'
        f"备份时复制整个目录即可。</p>{table('磁盘占用', ('内容', '大小'), rows)}"
    )


def feedback_html(counts: Mapping[str, int]) -> str:
    """Return how answers were judged, with the way to make evaluation cases of it."""
    up, down = counts.get("up", 0), counts.get("down", 0)
    link = '<a class="lx-button" href="/settings/feedback.jsonl" download>导出为评测题（.jsonl）</a>'
    return (
        f"<h3>读者的评价</h3><p>赞 {up} 个，踩 {down} 个。导出后在“评测”里上传，补上应有的要点再运行。</p>"
        f"{link if up + down else ''}"
    )


def tokens_html(tokens: Sequence[Token], made: str = "") -> str:
    """Return the tokens of the HTTP API; a new one is shown this once."""
    new = (
        '<p role="status">新令牌只显示这一次，请马上复制保存：</p>'
        f'<code class="lx-secret">{escape(made)}</code>'
        if made
        else ""
    )
    rows = (
        (
            escape(t.label),
            _date(t.made_at),
            button(f"/settings/tokens/{t.key}", "作废", label=f"作废{t.label}"),
        )
        for t in tokens
    )
    listed = table("接口令牌", ("用途", "开设日期", ""), rows) if tokens else ""
    return (
        "<h3>接口令牌</h3><p>学校其他程序凭令牌使用领学，"
        '写法见 <a href="/api/docs" target="_blank">接口说明</a>。</p>'
        f"{new}{listed}"
        '<form class="lx-form lx-row" method="post" action="/settings/tokens">'
        f"{field('label', '用途', hint='如 校园门户', maximum=40)}<button>开一个令牌</button></form>"
    )


def account_html(user: User) -> str:
    """Return one's own account: another password, logging out."""
    return (
        f"<h3>我的账号</h3><p>{escape(user.name)}（{user.role}）</p>"
        "<details><summary>改密码</summary>"
        '<form class="lx-form lx-grid" method="post" action="/settings/password">'
        + field("current", "现在的密码", kind="password", more='autocomplete="current-password" required')
        + field("password", "新密码", kind="password", hint=f"至少 {MIN_PASSWORD} 个字符",
                more='autocomplete="new-password" required')
        + "<p><button>改密码</button></p></form></details>"
        '<form class="lx-form lx-leaves" method="post" action="/logout"><button>退出登录</button></form>'
    )  # fmt: skip


def users_html(users: Sequence[User]) -> str:
    """Return all accounts and the form for a new one."""
    rows = (
        (
            escape(user.name),
            user.role + ("（已锁定）" if user.locked else ""),
            (
                button(f"/settings/users/{user.name}/unlock", "解锁", label=f"解锁{user.name}")
                if user.locked
                else ""
            )
            + button(
                f"/settings/users/{user.name}/remove", "删除（连同对话和提纲）", label=f"删除账号{user.name}"
            ),
        )
        for user in users
    )
    return (
        f"<h3>账号</h3>{table('账号', ('用户名', '角色', ''), rows)}"
        "<details><summary>开账号，或给已有账号重设密码</summary>"
        '<form class="lx-form lx-grid" method="post" action="/settings/users">'
        + field("name", "用户名", maximum=32, more='autocomplete="off" required')
        + field("password", "密码", kind="password", hint=f"至少 {MIN_PASSWORD} 个字符",
                more='autocomplete="new-password" required')
        + choice("role", "角色", [(role, role) for role in ROLES])
        + "<p><button>保存账号</button></p></form></details>"
    )  # fmt: skip


def acts_html(acts: Sequence[Act]) -> str:
    """Return who administered what, the latest first."""
    if not acts:
        return ""
    rows = ((_moment(act.at), escape(act.who), escape(act.what)) for act in acts)
    listed = table("管理记录", ("时间", "谁", "做了什么"), rows)
    return f"<h3>管理记录</h3><details><summary>最近 {len(acts)} 条</summary>{listed}</details>"


def privacy_html(settings: Settings, *, shared: bool) -> str:
    """Return what stays where."""
    where = (
        "提问、对话、资料和文稿都存在"
        + ("学校这台服务器上" if shared else "这台电脑上")
        + "，程序不向外连网。"
    )
    model = (
        f"用大模型时，问题和用到的资料片段会发给 {settings.model_host}；其余不发。"
        if settings.model_configured
        else "没有设置大模型，什么也不往外发。"
    )
    return (
        f"<h3>隐私</h3><p>{escape(where)}{escape(model)}</p>"
        "<p>请不要输入学生和同事的证件号、病情等个人信息，也不要输入涉密内容。对话可以在“问答”左边删除。</p>"
    )


def _moment(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d")
