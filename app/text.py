"""Every sentence on screen, in both languages. Names of labels and reasons for review come from `core.wording`."""

from core.wording import Speech

_TEXT: dict[str, dict[Speech, str]] = {
    "title": {"en": "Triage", "zh": "分诊"},
    "advice": {"en": "Advice only. A person decides.", "zh": "仅供参考，由人决定。"},
    "language": {"en": "Language", "zh": "语言"},
    "note": {"en": "Patient's message or clinical note", "zh": "患者自述或病历文本"},
    "placeholder": {"en": "In Chinese or English", "zh": "中文或英文均可"},
    "age": {"en": "Age in years, if known", "zh": "年龄（岁，如已知）"},
    "sex": {"en": "Sex, if known", "zh": "性别（如已知）"},
    "female": {"en": "Female", "zh": "女"},
    "male": {"en": "Male", "zh": "男"},
    "assess": {"en": "Assess", "zh": "分诊评估"},
    "working": {"en": "Reading the note…", "zh": "正在读取……"},
    "label": {"en": "Answer", "zh": "结果"},
    "probability": {"en": "Probability", "zh": "概率"},
    "review": {"en": "A person must decide", "zh": "需要人工判断"},
    "clear": {"en": "No reason for review found.", "zh": "未发现需要复核之处。"},
    "notice": {"en": "Please note", "zh": "请注意"},
    "model": {"en": "Model", "zh": "模型"},
    "failed": {"en": "No answer. Triage by hand, or try again.", "zh": "暂无结果。请人工分诊，或稍后重试。"},
    "bad_note": {"en": "This note can't be assessed.", "zh": "这段文本无法评估。"},
    "empty": {"en": "Write or paste a note first.", "zh": "请先输入或粘贴文本。"},
    "kept": {"en": "What you typed is kept.", "zh": "已输入的内容仍在。"},
    "unexpected": {
        "en": "Something unexpected happened. What you typed is kept. Triage by hand, or try again.",
        "zh": "出现意外问题。已输入的内容仍在。请人工分诊，或稍后重试。",
    },
}


def say(key: str, language: Speech) -> str:
    """The sentence `key` in `language`."""
    return _TEXT[key][language]


def language_of_reader(preferred: Speech | None, browser: str | None) -> Speech:
    """The language to start in: the site's setting, else the browser's."""
    return preferred or ("zh" if (browser or "").lower().startswith("zh") else "en")
