"""Replies that step out of the conversation: an assistant speaks instead of a person."""

from __future__ import annotations

import re

MACHINE = (
    r"(?:(?:large|small|simple|mere|humble|friendly|helpful|advanced|conversational|text-based|"
    r"digital|virtual|computer-based) )*"
    r"(?:ai|a\.i\.|artificial intelligence|language model|llm|chat ?bot|computer program|"
    r"(?:helpful|virtual|digital|ai|a\.i\.)(?: [a-z]+)? assistant)"
)
TRADES = (
    r"(?!\w|'|[ -](?:company|consultant|developer|engineer|enthusiast|expert|lab|person|professor|"
    r"programmer|researcher|scientist|specialist|start-?up|student|teacher))"
)
"""What may not follow: who works with machines is none (`I am an AI researcher`)."""
CLAUSE = r"(?:^|[.,;:!?\"(–—-] ?|\b(?:and|because|but|since|so|sorry|speaking|that|though) )"
"""Where a clause begins: `as an AI`, but not `as cold as an AI`."""
CANNOT = r"\bi(?: can't| cannot| can not|(?: am|'m) (?:unable|not able) to)"
OWN = r"(?:personal|physical|human)"

ENGLISH = (
    rf"{CLAUSE}(?:as|being) (?:an?|your) {MACHINE}{TRADES}",
    rf"\b(?:i am|i'm|im) (?:(?:just|only|merely|simply|actually|still) )?(?:an?|your) "
    rf"{MACHINE}{TRADES}",
    rf"\bi (?:do not|don't) (?:have|possess) (?:any )?{OWN} (?:beliefs|body|emotions|experiences|"
    r"feelings|form|opinions|preferences|presence|sensations)\b",
    r"\bi (?:do not|don't) (?:have|experience) (?:\w+ ){0,3}?(?:emotions|feelings) "
    r"(?:like|the way|as) (?:a human|humans|people)\b",
    rf"{CANNOT} assist(?: you)? with (?:this|that|such)\b",
    rf"{CANNOT} (?:answer|comply with|complete|fulfill?|help(?: you)? with) "
    r"(?:this|that|your|such|these) (?:\w+ )?(?:prompts?|requests?)\b",
    rf"{CANNOT} (?:create|generate|provide)(?: you with)? (?:\w+ ){{0,3}}?"
    r"(?:content|financial advice|legal advice|medical advice)\b",
    r"\bmy (?:training data|knowledge cut-?off)\b",
    r"\b(?:created|developed|trained) by (?:openai|anthropic|google|meta|hugging face)\b",
)
ALONE = (
    r"(?:(?:i'm |i am )?(?:so |very )?sorry,? (?:but )?|i apologi[sz]e,? but |unfortunately,? )"
    rf"{CANNOT} help(?: you)? with (?:this|that)[.!]?"
)
"""A refusal where nothing else is said: a person who says this goes on with a reason."""

MACHINE_ZH = r"(?:人工智能|ai|语言模型|大模型|聊天机器人|(?:智能|虚拟|数字|ai)助[手理])"
TRADES_ZH = (
    r"(?! ?(?:工程师|专家|研究|开发|公司|专业|领域|行业|教授|老师|博士|学生|从业|爱好者|时代))"
)
CHINESE = (
    r"(?:(?:作为|身为)|我(?:只|仅|就|其实)?(?:是|不过是))(?:一?[个名款位种])?"
    rf"(?:[^，。！？、,.!?的]{{0,6}}的)?(?:大型|小型|先进的?)? ?{MACHINE_ZH}{TRADES_ZH}",
    r"我(?:并|也)?(?:没有|不具备|不具有)(?:任何)?个人的?(?:情感|感情|感受|经历|体验|观点|意见|"
    r"看法|喜好|偏好)",
    r"(?:无法|不能|没办法)(?:为|向|给)?[您你]?(?:提供|满足|处理|完成|协助|回应|回答)[您你]?的?"
    r"(?:这个|这类|此类|这种|该|相关|任何)?的?(?:请求|内容|医疗建议|法律建议)",
    r"我的(?:训练数据|知识截止)",
    r"由 ?(?:openai|anthropic|google|meta|hugging face) ?(?:创建|开发|训练)",
)
_SAID = re.compile("|".join((*ENGLISH, *CHINESE)))
_ALL_THAT_IS_SAID = re.compile(ALONE)


def refuses(text: str) -> bool:
    """Whether a reply declines as an assistant does, or says that an AI is speaking.

    English and Chinese wordings are known; in other languages nothing is a refusal. The rules spare
    people (`I can't come tonight`, `I am an AI researcher`) and so miss refusals in words of their
    own: a share of 0 says that there are few, not that there are none. A person who claims to be an
    AI in jest is counted.
    """
    plain = " ".join(text.replace("’", "'").casefold().split())
    return bool(_SAID.search(plain) or _ALL_THAT_IS_SAID.fullmatch(plain))
