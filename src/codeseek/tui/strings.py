"""Every text of the screen, in English and Chinese."""

from __future__ import annotations

import os

LANGUAGES = ("en", "zh")
_chosen = ["en"]

TEXTS: dict[str, tuple[str, str]] = {
    # actions: in the footer, the help and the command palette
    "open": ("Open", "打开"),
    "open-help": ("Open in your editor, at the line", "在编辑器中打开并跳到该行"),
    "similar": ("Similar", "相似"),
    "similar-help": ("Find code like this hit", "查找与此结果相似的代码"),
    "back": ("Back", "返回"),
    "back-help": ("Go back: to the search before, to the query", "返回上一次搜索或查询框"),
    "choose": ("Select", "选中"),
    "choose-help": ("Select this hit, to open or export several", "选中此结果，可批量打开或导出"),
    "choose-all-help": ("Select every hit, or none", "全选或全不选"),
    "copy": ("Copy", "复制"),
    "copy-help": ("Copy the place, the path, the code or a link", "复制位置、路径、代码或链接"),
    "copy-place-help": ("Copy path:line", "复制 路径:行号"),
    "export-help": ("Export the selected hits, or all, to a file", "把选中的（或全部）结果导出到文件"),
    "filters": ("Filters", "筛选"),
    "filters-help": ("Filter by language, kind, folder, time of change", "按语言、类型、目录、修改时间筛选"),
    "group": ("Group", "分组"),
    "group-help": ("Group hits by file, or list them by score", "按文件分组，或按得分排列"),
    "why": ("Why", "原因"),
    "why-help": ("Show why this hit was found", "显示命中原因"),
    "history": ("History", "历史"),
    "history-help": ("Search among earlier queries", "在历史查询中查找"),
    "projects": ("Projects", "项目"),
    "projects-help": ("Search another indexed project, or all of them", "搜索另一个或全部已索引的项目"),
    "everywhere": ("all projects", "全部项目"),
    "of-projects": ("{count} projects", "{count} 个项目"),
    "index-help": ("Bring the index up to date now", "立即更新索引"),
    "zoom": ("Zoom", "放大"),
    "zoom-help": ("Give the preview the whole screen", "预览占满整个屏幕"),
    "next-help": ("Next place found in this file", "此文件中的下一处命中"),
    "previous-help": ("Previous place found in this file", "此文件中的上一处命中"),
    "wrap-help": ("Wrap long lines in the preview", "预览中自动换行"),
    "rendered-help": ("Show Markdown rendered, or as it is written", "渲染 Markdown，或显示原文"),
    "theme-help": ("Choose a theme", "选择主题"),
    "language-help": ("中文界面", "English interface"),
    "palette": ("Commands", "命令"),
    "palette-help": ("Find any command by its name", "按名称查找任意命令"),
    "help": ("Help", "帮助"),
    "help-help": ("Show every key", "显示所有按键"),
    "focus-query-help": ("Go to the query", "回到查询框"),
    "next-pane-help": ("Go to the next pane", "切换到下一个窗格"),
    "down-help": ("Next hit", "下一个结果"),
    "up-help": ("Previous hit", "上一个结果"),
    "scroll-down-help": ("Scroll the preview down", "预览向下滚动"),
    "scroll-up-help": ("Scroll the preview up", "预览向上滚动"),
    "page-down-help": ("A page of hits down", "结果向下翻页"),
    "page-up-help": ("A page of hits up", "结果向上翻页"),
    "quit": ("Quit", "退出"),
    "quit-help": ("Leave", "退出程序"),
    # the line below the query
    "placeholder": ("Search code and docs by meaning…", "按语义搜索代码与文档，中英文皆可…"),
    "hits": ("{count} hits", "{count} 条结果"),
    "one-hit": ("1 hit", "1 条结果"),
    "similar-to": ("like {place}", "与 {place} 相似"),
    "selected": ("{count} selected", "已选 {count} 条"),
    "searching": ("searching…", "搜索中…"),
    "fresh": ("fresh", "最新"),
    "stale": ("stale", "已过期"),
    "unknown": ("not checked", "未检查"),
    "degraded": ("degraded", "降级"),
    "scan": ("looking at files", "扫描文件"),
    "index": ("indexing", "索引中"),
    "embed": ("embedding", "计算向量"),
    "merge": ("tidying the index", "整理索引"),
    "not-indexed": ("not indexed", "未索引"),
    # panes
    "nothing": ("Nothing found", "没有找到结果"),
    "nothing-yet": ("Nothing found so far; there is more to be indexed", "暂时没有结果，索引仍在进行"),
    "nothing-hint": ("Use other words{filters}.", "换个说法试试{filters}。"),
    "nothing-filters": (", or fewer filters: {filters}", "，或减少筛选条件：{filters}"),
    "of-lines": ("{first}-{last} of {count}", "{first}-{last} / 共 {count} 行"),
    "problem-outside": ("This file lies outside the project", "该文件位于项目之外"),
    "problem-gone": ("This file is gone since it was indexed", "该文件在索引之后已被删除"),
    "problem-unreadable": ("This file cannot be read", "无法读取该文件"),
    "problem-binary": ("This is a binary file", "这是二进制文件"),
    # first run
    "welcome": ("Welcome to codeseek", "欢迎使用 codeseek"),
    "welcome-what": (
        "{project} is not indexed yet. Indexing reads its code and documents once, on this machine; nothing leaves it.",
        "{project} 尚未建立索引。索引只在本机读取一遍代码与文档，任何内容都不会离开本机。",
    ),
    "welcome-do": ("Press Enter to index it", "按 Enter 键开始索引"),
    "welcome-while": ("You can search what is there while the rest is indexed.", "索引过程中即可搜索已完成的部分。"),
    "recent": ("Asked before", "最近查询"),
    "holds": ("{files} files · {chunks} chunks", "{files} 个文件 · {chunks} 个片段"),
    "try": ("Try", "试试"),
    "try-meaning": (
        "ask what code does: how are retries limited, 依赖注入 是怎么实现的",
        "直接描述功能：依赖注入 是怎么实现的、how are retries limited",
    ),
    "try-narrow": (
        "narrow it: kind:function lang:python path:src/** -path:tests, or press F2",
        "缩小范围：kind:function lang:python path:src/** -path:tests，或按 F2",
    ),
    "try-keys": ("F1 shows every key, ^P every command", "F1 查看全部按键，^P 查看全部命令"),
    "no-reasons": ("no reasons known", "没有可显示的原因"),
    # dialogs
    "narrow": ("type to narrow", "输入以筛选"),
    "picker-keys": ("⏎ choose   Esc back", "⏎ 选择   Esc 返回"),
    "picker-toggle-keys": (
        "⏎ on or off   Esc done   numbers: among the best hits, in the index",
        "⏎ 开关   Esc 完成   数字：最佳结果中、索引中",
    ),
    "facet-on": ("in the query", "查询中的条件"),
    "facet-kind": ("kind (chunks)", "类型（片段数）"),
    "facet-language": ("language (files)", "语言（文件数）"),
    "facet-folder": ("only in (chunks)", "仅限目录（片段数）"),
    "facet-changed": ("changed since (chunks)", "最近修改（片段数）"),
    "facet-without": ("leave out (chunks)", "排除目录（片段数）"),
    "dark": ("dark", "深色"),
    "light": ("light", "浅色"),
    "copy-place": ("path:line", "路径:行号"),
    "copy-path": ("path", "路径"),
    "copy-whole-path": ("whole path", "完整路径"),
    "copy-code": ("code", "代码"),
    "copy-symbol": ("name", "名称"),
    "copy-link": ("link", "链接"),
    "count-hits": ("{count} hits", "{count} 条结果"),
    "guide-query": ("The query", "查询"),
    "guide-any-language": ("any language, any mix", "任意语言，可以混写"),
    "guide-narrow": ("only these languages and kinds", "只看这些语言和类型"),
    "guide-path": ("only here, but not there", "限定目录，排除目录"),
    "guide-changed": ("only files changed since", "只看此后修改过的文件"),
    "guide-letters": (
        "Keys in the second column work outside the query: Tab goes there, Esc comes back.",
        "第二列按键在查询框之外有效：Tab 离开查询框，Esc 返回。",
    ),
    "group-search": ("Search", "搜索"),
    "group-hit": ("Hits", "结果"),
    "group-preview": ("Preview", "预览"),
    "group-move": ("Moving", "移动"),
    "group-app": ("Program", "程序"),
    # messages
    "not-exported": ("Could not export", "导出失败"),
    "copied": ("Copied: {text}", "已复制：{text}"),
    "exported": ("Exported {count} hits to {path}", "已将 {count} 条结果导出到 {path}"),
    "indexed": (
        "{files} files, {chunks} chunks indexed in {seconds} s",
        "已索引 {files} 个文件、{chunks} 个片段，用时 {seconds} 秒",
    ),
    "up-to-date": ("The index is up to date", "索引已是最新"),
    "polls": ("Changed files are looked for every few seconds", "每隔几秒检查一次文件变动"),
    "polls-limit": (
        "too many folders are watched; allow more: sudo sysctl fs.inotify.max_user_watches=1048576",
        "监视的目录数已达系统上限，可调高：sudo sysctl fs.inotify.max_user_watches=1048576",
    ),
    "polls-remote": ("a network file system tells no events", "网络文件系统不提供变动通知"),
    "polls-unsupported": ("this system tells no events", "此系统不提供变动通知"),
    "no-editor": ("No editor found", "找不到编辑器"),
    "no-editor-hint": ("set $EDITOR, as in `export EDITOR=vim`", "请设置 $EDITOR，例如 `export EDITOR=vim`"),
    "no-viewer": ("No viewer found", "找不到查看器"),
    "no-viewer-hint": (
        "set $CODESEEK_VIEWER, as in `export CODESEEK_VIEWER=okular`",
        "请设置 $CODESEEK_VIEWER，例如 `export CODESEEK_VIEWER=okular`",
    ),
    "editor-failed": ("`{editor}` ended with status {status}", "`{editor}` 以状态 {status} 退出"),
    "no-terminal": ("{editor} needs a terminal, and there is none to give", "{editor} 需要终端，此处无法提供"),
    "no-project": ("no other project is indexed", "没有其他已索引的项目"),
    "no-history": ("no earlier query yet", "还没有历史查询"),
}


def choose(language: str) -> None:
    """Say everything in a language from now on; an empty one is that of the environment."""
    _chosen[0] = language if language in LANGUAGES else of_environment()


def chosen() -> str:
    """Return the language in which everything is said."""
    return _chosen[0]


def of_environment() -> str:
    """Return the language of the locale."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def say(name: str, **values: object) -> str:
    """Return a text in the language that was chosen."""
    text = TEXTS[name][LANGUAGES.index(_chosen[0])]
    return text.format(**values) if values else text
