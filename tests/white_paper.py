"""A white paper in Chinese and English, made for tests: one chapter answers, the others are about something else."""

from __future__ import annotations

import papers

DESIGN = "多语言代码检索的设计思路"
DESIGN_PAGE = 13
DESIGN_TEXT = (
    "多语言代码检索要解决的问题是：工程师用中文提问，而代码和注释往往是英文的。我们的设计思路分为三层。"
    "第一层是词法检索，用术语表把中文词映射到英文标识符，例如把检索映射到 search 和 retrieve。"
    "第二层是向量检索，同一个嵌入模型把中文、英文和代码片段放进同一个向量空间，语义相近的片段彼此靠近。"
    "第三层是融合排序，把两路结果按倒数排名合并，并对函数定义给予更高的权重。"
    "这样的设计不需要翻译服务，在离线环境中也能工作。"
)
ENGLISH = "Cross-lingual matching"
ENGLISH_PAGE = 19
ENGLISH_TEXT = (
    "Multilingual code search rests on a shared vector space. A question asked in one human language and a function "
    "that is written and commented in another are placed near each other when they mean the same, so that nobody has "
    "to know the words which the author of the code happened to choose. Identifiers are split into their parts before "
    "they are embedded, and the comment above a function counts twice as much as its body."
)
_OTHERS = (
    (
        "前言 Preface",
        "本白皮书面向企业的技术决策者，介绍平台的背景、目标读者和阅读方法。全文共分为二十多章，各章可以独立阅读。",
    ),
    (
        "市场背景 Market",
        "过去五年企业软件市场年均增长百分之十二，研发效率工具的预算持续上升。The market for developer tools keeps growing.",
    ),
    ("系统架构 Architecture", "平台由网关、任务调度和存储三个部分组成，各部分之间通过消息队列通信，可以分别扩容。"),
    (
        "安装与部署 Deployment",
        "Install the package on a host with four cores and sixteen gigabytes of memory. 部署脚本会检查端口和磁盘空间。",
    ),
    (
        "权限管理 Permissions",
        "每个用户属于一个或多个角色，角色决定可以访问的项目。Access is denied unless a role grants it.",
    ),
    (
        "多语言界面 Localisation",
        "界面文字保存在资源文件里，支持中文、英文、日文三种语言，用户可以在设置中切换显示语言。翻译由社区维护。",
    ),
    (
        "缓存策略 Caching",
        "热点数据保存在内存里，过期时间为十分钟。Entries are evicted by least recent use when the cache is full.",
    ),
    (
        "日志检索 Log search",
        "日志按天切分，支持按时间、级别和关键字检索。Logs older than thirty days are moved to cold storage.",
    ),
    ("代码评审 Code review", "每次合并请求至少需要两位评审人同意。Reviewers are chosen by who changed the files last."),
    ("编程语言统计 Languages", "平台统计各个仓库中编程语言的占比：Java 百分之四十，Python 百分之三十，Go 百分之十五。"),
    (
        "持续集成 Continuous integration",
        "流水线在每次提交时运行单元测试。A failing build blocks the merge until it is mended.",
    ),
    ("数据库设计 Database", "元数据保存在关系数据库中，主键为自增整数，所有写操作都在事务里完成，备份每天凌晨执行。"),
    ("监控告警 Monitoring", "指标每十五秒采集一次，超过阈值时通过邮件和电话告警。Dashboards show the last seven days."),
    ("网络安全 Security", "对外接口全部使用加密传输，密钥每九十天轮换一次。Secrets never appear in logs."),
    ("性能测试 Performance", "我们在八核机器上做了压力测试，每秒可以处理两千个请求，平均延迟为三十毫秒。"),
    (
        "文档编写 Writing documentation",
        "Good documentation says what a reader wants to do first. 文档应当和代码放在同一个仓库里，一起评审。",
    ),
    ("客户案例 Case study", "某银行用三个月完成了迁移，研发效率提升了两成。The migration needed no downtime."),
    ("计费方式 Billing", "按照活跃用户数计费，每月结算一次。Invoices are sent on the first working day of a month."),
    ("灾难恢复 Disaster recovery", "数据在两个机房之间同步，任何一个机房失效时可以在五分钟内切换。"),
    ("设计原则 Principles", "设计上坚持简单优先：每个模块只做一件事，接口保持稳定，不为假想的需求增加复杂度。"),
    ("路线图 Roadmap", "下一个版本将支持移动端，并开放插件接口。The plan is reviewed every quarter with customers."),
    ("附录 Glossary", "本附录列出全文使用的缩写：API 指应用程序接口，CI 指持续集成，SLA 指服务等级协议。"),
)


def make(font_file: str) -> bytes:
    """Return the paper as a PDF file: a chapter on each page, below a running header."""
    paper = papers.Paper("企业研发平台白皮书 Platform white paper", font_file=font_file)
    chapters = [(title, text * 4) for title, text in _OTHERS]
    chapters.insert(DESIGN_PAGE - 1, (DESIGN, DESIGN_TEXT))
    chapters.insert(ENGLISH_PAGE - 1, (ENGLISH, ENGLISH_TEXT))
    for number, (title, text) in enumerate(chapters, 1):
        paper.page()
        paper.heading(f"{number} {title}")
        paper.text(text)
    return paper.data()
