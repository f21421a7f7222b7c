"""Everything that can go wrong and be told to a user.

    LingxueError
    ├── BadFile            a file cannot be taken in
    │   ├── EmptyFile
    │   ├── NotText
    │   ├── NoTextFound
    │   │   └── NothingRecognised
    │   ├── EncryptedFile
    │   ├── BrokenFile
    │   ├── UnsupportedFile
    │   └── ParseLimit
    ├── FetchFailed        an official text was not fetched
    ├── FolderNotFound
    ├── DataDirUnusable
    │   └── RecordsUnavailable  the server of accounts and conversations
    ├── DataDirBusy
    ├── StoreDamaged
    ├── NothingIndexed
    ├── SourceNotFound
    ├── SourceDamaged
    ├── StoreLost
    ├── RecordsDamaged
    ├── RecordsLost
    ├── BackupUnusable
    ├── EncoderNotFound
    ├── RerankerNotFound
    ├── ModelFailed        a language model gave no usable reply
    │   └── ModelRefused   its server rejected the key or the request
    ├── HeldBack           personal numbers were not sent to a model
    ├── BadSettings
    ├── BadCases
    └── BadRequest

`str(error)` is one plain Chinese line: what is wrong, the value, the remedy.
Knows nothing of who raises or shows them.
"""

from __future__ import annotations


class LingxueError(Exception):
    """The root. A subclass gives `template`, whose fields the constructor takes by name."""

    template = "{reason}"

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.template.format(**values))

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders with their values."""
        return _rebuild, (type(self), self.values)


def _rebuild(kind: type[LingxueError], values: dict[str, object]) -> LingxueError:
    return kind(**values)


class BadFile(LingxueError):
    """A file that cannot be taken in; `name` is the file's name."""

    template = "{name}：{reason}"


class EmptyFile(BadFile):
    """The file has no bytes, or only white space."""

    template = "{name}：文件是空的。请换一个有内容的文件。"


class NotText(BadFile):
    """The file says it is text and is not."""

    template = "{name}：不是文本文件（内容是二进制数据）。请用原来的程序打开后另存为 .docx、.pdf 或 .txt。"


class NoTextFound(BadFile):
    """A file of a known format that holds no text, as a scanned PDF."""

    template = (
        "{name}：未提取到文字，可能是扫描件。"
        "请安装文字识别组件（在领学文件夹里运行 .venv/bin/pip install -e .[ocr]，"
        "Windows 用 .venv\\Scripts\\pip），或提供有文字的版本。"
    )


class NothingRecognised(NoTextFound):
    """A picture or scan in which text recognition, which is installed, found none."""

    template = (
        "{name}：未提取到文字，图片里没有认出字。请换更清晰的扫描件（300 dpi、摆正），或提供有文字的版本。"
    )


class EncryptedFile(BadFile):
    """A file that asks for a password."""

    template = "{name}：文件有密码保护。请先去掉密码，再重新放入。"


class BrokenFile(BadFile):
    """A file whose format is damaged."""

    template = "{name}：文件已损坏，无法读取（{reason}）。请重新获取，或用原来的程序打开后另存一份。"


class UnsupportedFile(BadFile):
    """No parser takes this format; `known` lists those there are."""

    template = "{name}：不支持这种格式（{suffix}）。支持的格式：{known}。请先转换再放入。"


class ParseLimit(BadFile):
    """Parsing ran past its limits of time or memory."""

    template = "{name}：处理超出限制（{reason}）。请把文件拆小，或另存为 .txt 后重试。"


class FetchFailed(LingxueError):
    """An official text could not be fetched, or what came is not that text."""

    template = "没有取到 {url}：{reason}。请检查网络；也可以用浏览器打开、另存后用 lingxue index 加入。"


class FolderNotFound(LingxueError):
    """A file or folder that the user named is not there."""

    template = "找不到文件或文件夹：{path}。请检查路径是否写对。"


class DataDirUnusable(LingxueError):
    """The data directory cannot be made or written."""

    template = "数据目录不可写：{path}（{reason}）。请检查权限和磁盘空间，或用 --data-dir 指定别的目录。"


class RecordsUnavailable(DataDirUnusable):
    """The database server that keeps accounts and conversations does not answer."""

    template = "账号和对话的数据库现在连接不上（{reason}）。请稍后再试；仍不行请管理员检查数据库服务器。"


class DataDirBusy(LingxueError):
    """Another process holds the data directory."""

    template = "数据目录正被另一个领学程序使用：{path}。请等它结束，或用 --data-dir 指定别的目录。"


class StoreDamaged(LingxueError):
    """The database is not readable as ours."""

    template = (
        "数据库无法读取：{path}（{reason}）。请把这个文件移走后运行 lingxue index 重新建立，或从备份恢复。"
    )


class StoreLost(LingxueError):
    """The database is gone or empty while the index built from it is still there."""

    template = (
        "数据库不见了：{path}（索引还在）。请用 lingxue restore 从备份恢复；没有备份就删除旁边的 index 文件夹"
        "再运行 lingxue index 重新建立，逐个加入的文件要再加一次。"
    )


class RecordsDamaged(LingxueError):
    """The database of conversations, drafts and accounts is not readable as ours."""

    template = (
        "对话、提纲和账号的记录文件已损坏：{path}（{reason}）。请先停下领学，用 lingxue restore 从备份恢复；"
        "没有备份就把这个文件移走，再启动会新建空的。资料库没有受影响。"
    )


class RecordsLost(LingxueError):
    """There were accounts, and their database is gone or empty."""

    template = (
        "登录账号不见了：{path} 里原来有账号，现在一个也没有，所以没有打开网页，以免换了人管。"
        "请用 lingxue restore 从备份恢复；确实要从头开始，请先运行 lingxue user add 名字 --admin。"
    )


class NothingIndexed(LingxueError):
    """No document has been indexed yet."""

    template = "知识库里还没有资料。请先运行 lingxue index，或在资料文件夹 {path} 里放入文件。"


class SourceNotFound(LingxueError):
    """A source id that is not in the store."""

    template = "找不到这份资料（编号 {source_id}），可能已被删除。请重新提问。"


class SourceDamaged(LingxueError):
    """A stored document is not as it was stored; it is no longer quoted."""

    template = "资料 {name} 的记录已损坏，已停止引用。请重新运行 lingxue index；仍不行请重新加入这个文件。"


class BackupUnusable(LingxueError):
    """A backup file cannot be restored; nothing was changed."""

    template = "备份 {path} 不能恢复：{reason}。现有数据没有改动，请换一个备份文件。"


class EncoderNotFound(LingxueError):
    """The encoder's weights are not on disk."""

    template = "找不到向量模型：{path}（{reason}）。请检查设置 LINGXUE_ENCODER，留空则用自带的模型。"


class RerankerNotFound(LingxueError):
    """The reranker's weights are not on disk."""

    template = "找不到重排模型：{path}（{reason}）。请检查设置 LINGXUE_RERANKER，留空则用自带的排序。"


class ModelFailed(LingxueError):
    """A language model gave no usable reply."""

    template = "大模型没有给出可用的回答（{reason}）。请检查网络与模型服务，或用 --llm off 不用模型。"


class ModelRefused(ModelFailed):
    """The model's server rejected the key or the request."""

    template = (
        "大模型服务拒绝了请求（{reason}）。"
        "请检查 LINGXUE_LLM_API_KEY、LINGXUE_LLM_MODEL 和 LINGXUE_LLM_BASE_URL。"
    )


class HeldBack(LingxueError):
    """A message was not sent to an outside model because personal numbers are in it."""

    template = (
        "要发给大模型的内容里有{found}，已停下，没有发给 {receiver}。请把号码改掉再试，或只用资料摘录回答。"
    )

    @property
    def notice(self) -> str:
        """What to say above an answer that was made without the model instead."""
        return "要发给大模型的内容里有{found}，没有发给 {receiver}，以下不用大模型、直接依据资料。".format(
            **self.values
        )


class BadSettings(LingxueError):
    """A setting has a value that cannot be used."""

    template = "设置有误：{name} = {value}（{reason}）。请改正后重试。"


class BadCases(LingxueError):
    """An evaluation set cannot be read; `column` and `more` (further faults) may be empty."""

    template = "评测集 {name} 第 {row} 行{column}有误：{reason}。{more}请改正后重试。"

    def __init__(self, **values: object) -> None:
        super().__init__(**{"column": "", "more": "", **values})


class BadRequest(LingxueError):
    """A question or a drafting request that cannot be worked on."""

    template = "{reason}"
