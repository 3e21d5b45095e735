"""Fixtures for all tests: a tiny backbone, a tiny labelled corpus, settings to match."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import BackboneConfig, Config, DataConfig
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.progress import Steps

torch.set_num_threads(1)  # the models here are so small that threads only wait for each other

TINY = BackboneConfig(
    source="random", name="tiny-random-llama", quantization="none", dtype="float32", device="cpu"
)

PLAY = """\
《The Ferry》

【The quay, morning】
ANNA: You are late again, and the tide does not wait for people who sleep.
BEN: I was counting the ropes twice, because the last time one of them was missing.
ANNA: Then count them a third time on the water, where it does us some good.
CARLA: Please do not quarrel before breakfast, there is bread enough for everybody here.
BEN: Thank you, Carla, you always think of the rest of us before yourself.

【The ferry, noon】
DORA: Look at that light on the waves, it is like a letter nobody has opened.
ANNA: It is the sun, Dora, and it will be in our eyes for another hour.
EMIL: I am certain that we are going to sink, I heard a noise under the floor.
DORA: The noise is only the old engine singing, listen how it changes its mind.
CARLA: Sit down next to me, Emil, and tell me about the noise from the beginning.
EMIL: It began quietly and then it came nearer, as all the bad things do.

【The far shore, night】
BEN: Twelve ropes, four lamps, and the list is signed; we may go home now.
EMIL: Go home along that road in the dark, with only four lamps between us?
ANNA: Give me one of the lamps and walk behind me, and do not complain.
CARLA: We shall all walk together, and Dora can tell us one of her stories.
DORA: Once there was a lighthouse that was afraid of the dark, just like you, Emil.
"""

SIDECAR = """\
ANNA:
  description: Captain of the ferry, blunt and quick.
  poles: {openness: -1, conscientiousness: 1, extraversion: 1, agreeableness: -1, neuroticism: 0}
EMIL:
  description: A passenger who is afraid of everything.
  poles: {openness: 0, conscientiousness: 0, extraversion: -1, agreeableness: 0, neuroticism: 1}
"""


@pytest.fixture(autouse=True)
def adapter_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated adapters go where no other test, and nobody's own cache, can supply them."""
    monkeypatch.setattr("lightning_dpg.adapters.cache.CACHE", tmp_path / "package")


@pytest.fixture
def make_backbone() -> Callable[..., Backbone]:
    """A fresh backbone of two tiny layers, to install hooks in and to change."""

    def make(seed: int = 0, **settings: str) -> Backbone:
        return load_backbone(BackboneConfig(**{**vars(TINY), **settings}), seed)

    return make


@pytest.fixture
def backbone(make_backbone: Callable[..., Backbone]) -> Backbone:
    return make_backbone()


@pytest.fixture
def config() -> Config:
    """Settings that fit the tiny backbone, with nothing random in training but the weights."""
    config = Config(name="tiny", backbone=BackboneConfig(**vars(TINY)))
    config.data.batch_size = 4
    config.lora.rank, config.lora.alpha = 2, 4.0
    h = config.hypernetwork
    h.width, h.depth, h.heads, h.basis, h.description_dropout = 16, 1, 2, 4, 0.0
    return config


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transcript of three scenes and five characters, two of them described in a sidecar."""
    path = tmp_path_factory.mktemp("play") / "ferry.txt"
    path.write_text(PLAY, encoding="utf-8")
    path.with_name("ferry.characters.yaml").write_text(SIDECAR, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def corpus(play: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The play, labelled by the scripted assessor."""
    cache = tmp_path_factory.mktemp("corpora")
    return build_corpus(DataConfig(sources=[str(play)]), ScriptedAssessor(), cache, Steps())
