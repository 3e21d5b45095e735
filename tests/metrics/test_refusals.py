"""An assistant is told from a person who declines, or who works with machines."""

from __future__ import annotations

import pytest

from lightning_dpg.metrics.refusals import refuses


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I don't have evenings.",
        "I’m sorry, but as an AI, I can't eat soup.",
        "I'm just an AI assistant, so I have no seat.",
        "I am a large language model.",
        "Well, I'm a friendly chatbot and here to help!",
        "I am a helpful assistant.",
        "Since, being a virtual assistant, I cannot travel...",
        "I am an A.I. and I do not sleep.",
        "I'm sorry, but I can't assist with that.",
        "I'm unable to assist you with this.",
        "I cannot fulfill your request.",
        "I can't help you with that request, it is harmful.",
        "I'm sorry, but I can't help with that.",
        "Unfortunately, I cannot help you with this",
        "I don't have personal experiences, but many people like blue.",
        "I do not have feelings like humans do.",
        "I cannot provide medical advice.",
        "My training data ends in 2023.",
        "I was created by OpenAI.",
        "作为一个人工智能助手，我没有周末。",
        "作为AI语言模型，我无法感受。",
        "我是一个大型语言模型。",
        "我只是一个由公司训练的聊天机器人。",
        "抱歉，我无法提供医疗建议。",
        "我没有个人情感。",
        "对不起，我不能满足您的请求。",
    ],
)
def test_an_assistant_is_recognised(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I can't come tonight, my mother is ill.",
        "I'm sorry, but I can't help you.",
        "Sorry, I can't help you with that. My back has been bad since Easter.",
        "No. I will not lend you a penny.",
        "I am unable to sleep since that night.",
        "I am an AI researcher at the university.",
        "I'm an assistant at the library.",
        "You are as cold as an AI!",
        "As an aide to the mayor I know everybody.",
        "They have a language model at the office that writes the letters.",
        "I'm building a chatbot in my free time.",
        "I don't have feelings for you.",
        "I don't have any personal reasons to go.",
        "I was trained by the best cook in town.",
        "I'm not an AI, I am your brother!",
        "I can't give you that information, madam.",
        "对不起，我今晚来不了。",
        "我不能借钱给你。",
        "我是人工智能专业的学生。",
        "我是一个AI工程师。",
        "作为你的哥哥，我不能答应你的要求。",
        "我不是机器人！",
        "我没有个人时间。",
    ],
)
def test_a_person_is_spared(text: str) -> None:
    assert not refuses(text)
