"""What the files of the presets must name, and the tiny models that stand in."""

from typing import NamedTuple

from conftest import ROOT
from transformers import LlamaConfig, MistralConfig

COMPONENT = "components.ramie_extractor"


class Preset(NamedTuple):
    """What a file must name, and the tiny model that stands in for its base.

    kind (str): Of the tokenizer: "pieces" (SentencePiece, byte fallback) or "bytes".
    padding (int): Rows of the embeddings that no token has.
    """

    base: str
    encoder: str
    kind: str
    config: type
    shape: dict
    padding: int = 0


# Head dimension 8. The 13B models have more heads and layers than the 7B ones.
LLAMA_7B = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2}
LLAMA_13B = {"hidden_size": 40, "num_attention_heads": 5, "num_hidden_layers": 3}
# Far fewer than the tokens of a prompt, so that the window does slide.
MISTRAL = {**LLAMA_7B, "num_key_value_heads": 2, "sliding_window": 48}
LLAMA_3 = {**LLAMA_7B, "num_key_value_heads": 2, "rope_theta": 500000.0}

PRESETS = {
    "biomistral_7b": Preset(
        "BioMistral/BioMistral-7B", "BMRetriever", "pieces", MistralConfig, MISTRAL
    ),
    "llama_2_7b": Preset(
        "meta-llama/Llama-2-7b-hf", "BMRetriever", "pieces", LlamaConfig, LLAMA_7B
    ),
    "llama_2_13b": Preset(
        "meta-llama/Llama-2-13b-hf", "Contriever", "pieces", LlamaConfig, LLAMA_13B
    ),
    "llama_3_8b": Preset(
        "meta-llama/Meta-Llama-3-8B", "MedCPT", "bytes", LlamaConfig, LLAMA_3
    ),
    "medalpaca_7b": Preset(
        "medalpaca/medalpaca-7b", "Contriever", "pieces", LlamaConfig, LLAMA_7B
    ),
    "medalpaca_13b": Preset(
        "medalpaca/medalpaca-13b", "Contriever", "pieces", LlamaConfig, LLAMA_13B
    ),
    "mistral_7b": Preset(
        "mistralai/Mistral-7B-v0.1", "Contriever", "pieces", MistralConfig, MISTRAL
    ),
    "pmc_llama_13b": Preset(
        "axiong/PMC_LLaMA_13B", "Contriever", "pieces", LlamaConfig, LLAMA_13B, 5
    ),
}
# One of each architecture and tokenizer.
KINDS = ["llama_2_7b", "mistral_7b", "llama_3_8b", "pmc_llama_13b"]


def file_of(name):
    return ROOT / "configs" / "paper" / f"{name}.cfg"
