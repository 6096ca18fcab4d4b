"""Words by which names are told from other words: family names, titles, and what looks like a name and is none."""

from collections.abc import Mapping

# The commonest family names of China, without the rarest.
SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴"
    "夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟"
    "安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢岳齐梅莫庄辛管祝左涂谷祁耿牟卜路詹关苗凌费纪靳盛童欧甄项曲裴司"
    "柏覃尚蒙褚池鲍单付肖闫代宁游阮桂闵阳连包喻车房屈华冉解匡娄郎蓝符佟米卓冷景查吉宫甘柯滕"
)
DOUBLE_SURNAMES = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "令狐",
    "慕容",
    "司徒",
    "夏侯",
    "万俟",
    "端木",
)
CHINESE_TITLES = (
    "先生|女士|小姐|太太|夫人|医生|医师|大夫|主任|教授|院长|护士长|护士|护师|护工|老师|师傅|经理|同志|阿姨|叔叔|"
    "伯伯|大爷|大妈|大哥|大姐|大叔|大娘|奶奶|爷爷|老太太|老先生|老爷子|某某?|女儿|药师|科长|处长|警官"
)
# Family names that also end or begin a word: the characters before them that make such a word (主任医生, 对于医生).
NO_SURNAME_BEHIND: Mapping[str, str] = {
    "任": "主责信放", "何": "任如为几", "方": "对双院患医警官校地处一多", "于": "对由关至属等低高位处在",
    "安": "不平公保西治早晚", "关": "相有无", "钟": "分", "常": "经正非异平日", "文": "中英语", "单": "简床账",
    "代": "替交", "连": "一", "华": "中", "管": "不主", "解": "了", "金": "现押基", "温": "体", "高": "最",
    "白": "明表", "车": "坐开", "向": "方", "房": "病药厨产心二单",
}  # fmt: skip
# Words that begin with a family name.
NO_NAMES = tuple(
    (
        "高血压 高血糖 高血脂 高热 高烧 高压 高危 高龄 高度 高位 高尿酸 高钾 高脂 黄疸 黄染 白血病 白细胞 白带 "
        "白班 白内障 白癜风 白天 方便 方法 何时 何种 何处 何人 金黄 金属 常规 常年 常见 安静 安全 于今 于昨 单侧 "
        "单纯 温度 马上 毛病 石膏 左侧 左下 左上 左眼 左手 左腿 左右 左肩 左膝 左乳 左肾 左耳 关节 关系 连续 "
        "包块 车祸 解便 解尿 文化 管床 向来 代谢 康复 万一 易怒 易醒 段时间 项目 毕业 任何 如何 单位 房颤 房间 "
        "路上 尤其 常常 江湖 龙胆 牛奶 梅毒 梅尼埃 谷丙 苏醒 景象 冷汗 查体 查房 查血 宁愿 程度 贺尔蒙 余无 伍德 "
        "夏天 曾有 曾经 曾行 曾因 曾患 曾在 曾服 曾用 游泳 阳性 施行 华法林 许久 许多 金牌 章鱼 连日 石淋 田径 "
        "水平 高考 高中 高三 高一 高二 车间 米饭 包扎 代诉 代述 陈旧 陈述 严重 周围 周身 周一 周二 周三 周四 "
        "周五 周六 周日 周末 周岁 胡话 齐全 焦虑 童年 项痛 管子 关心 乔迁 吉他 司机 阳了 阳过 阴性 安排 丁胺"
    ).split()
)
# English words that follow a title or a label and are no part of a name.
NO_NAME_WORDS = frozenset(
    (
        "a about above address advised again age also an and any appointment appt april are as asked asks at "
        "august back be because been below but by call called calls can care changed checked clinic confirmed "
        "could date december diagnosed did do dob does down dr february female for fri friday from gave give "
        "given gives had has he her here his i if illegible in increased is it january july june led letter line "
        "male march may might miss mon monday mr mrn mrs ms my need needs nhs no none not note notes november "
        "number nurse october of off office on only or ordered out over pending phone please pls practitioner "
        "prescribed prof put puts re recommended reduced referral registered review said same sat saturday saw "
        "says scan see sees sent september sex she should sir sister so specialist ssn started stopped suggested "
        "sun sunday surgery swapped swiched switched tel tell test that the then there they thinks this thought "
        "thu thursday to today told tomorrow triage tue tuesday under unknown up visit visits want wanted wants "
        "ward was we wed wednesday were when where while who will with withheld would yesterday you your"
    ).split()
)


def surname_length(text: str, start: int) -> int:
    """How many characters the family name has that begins there; none: there is none."""
    if text[start : start + 2] in DOUBLE_SURNAMES:
        return 2
    return 1 if text[start : start + 1] in SURNAMES else 0


def is_word(text: str, start: int) -> bool:
    """Whether a word begins there, or goes on, that looks like a name."""
    before = text[start - 1] if start else ""
    return text.startswith(NO_NAMES, start) or (before != "" and before in NO_SURNAME_BEHIND.get(text[start], ""))
