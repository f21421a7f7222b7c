"""Why the system would not do something, in Chinese: for errors of files, sockets and SQLite.

The system's own words are English and depend on its language settings.
Knows numbers and key words; not where the errors come from.
"""

from __future__ import annotations

import errno

_WORDS = {
    "ENOENT": "文件或文件夹不存在",
    "ENOTDIR": "文件夹不存在",
    "EEXIST": "已经有同名的文件",
    "EACCES": "没有权限",
    "EPERM": "没有权限",
    "EROFS": "磁盘只读",
    "ENOSPC": "磁盘空间不足",
    "EDQUOT": "超出了给这个用户的磁盘配额",
    "EFBIG": "文件太大",
    "EISDIR": "同名的是文件夹",
    "ENOTEMPTY": "文件夹不是空的",
    "ENAMETOOLONG": "文件名太长",
    "EINVAL": "名称或参数不被系统接受",
    "EIO": "磁盘读写出错，可能有坏道",
    "EBUSY": "正被别的程序使用",
    "ETXTBSY": "正被别的程序使用",
    "EMFILE": "打开的文件太多",
    "ENFILE": "系统打开的文件太多",
    "ENOMEM": "内存不足",
    "ELOOP": "链接绕成了圈",
    "EXDEV": "不在同一个磁盘上",
    "ESTALE": "网络磁盘上的文件已经不在",
    "ENODEV": "磁盘不在",
    "ENXIO": "设备不在",
    "EADDRINUSE": "端口已被别的程序占用",
    "EADDRNOTAVAIL": "这台电脑没有这个地址",
    "EAFNOSUPPORT": "系统不支持这种地址",
    "ECONNREFUSED": "对方没有接受连接",
    "ECONNRESET": "连接被断开",
    "ETIMEDOUT": "等待超时",
    "EHOSTUNREACH": "连不上这台电脑",
    "ENETUNREACH": "网络不通",
    "EPIPE": "对方已经关闭",
}
# Not every system has every name.
_BY_NUMBER = {getattr(errno, name): words for name, words in _WORDS.items() if hasattr(errno, name)}
# SQLite says these in words; the first that is found.
_BY_WORD = (
    ("full", "磁盘已满"),
    ("readonly", "只读，不能写入"),
    ("locked", "另一个程序正在写入"),
    ("unable to open", "文件打不开，可能没有权限"),
    ("disk I/O", "磁盘读写出错，可能有坏道"),
    ("malformed", "内容已损坏"),
    ("not a database", "内容不是数据库"),
    ("no such", "缺少应有的表"),
)


def why(err: BaseException) -> str:
    """Return the reason of an error that the system or SQLite gave, in Chinese and without its values.

    >>> why(PermissionError(errno.EACCES, "Permission denied"))
    '没有权限'
    """
    if isinstance(err, OSError) and err.errno:
        return _BY_NUMBER.get(err.errno, f"系统错误，编号 {err.errno}")
    text = str(err)
    known = next((chinese for word, chinese in _BY_WORD if word in text), "")
    return known or (text if any("\u4e00" <= c <= "\u9fff" for c in text) else type(err).__name__)
