"""A BERT with random weights and a WordPiece tokenizer, as a folder."""

import json
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = [
    "patient",
    "started",
    "stopped",
    "melatonin",
    "ginkgo",
    "garlic",
    "for",
    "after",
    "sleep",
    "insomnia",
    "tinnitus",
    "and",
    "bleeding",
    "she",
    "he",
    "takes",
    "no",
    "more",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_bert(folder: Path, seed: int = 0) -> Path:
    """Write the folder; every one of WORDS is one wordpiece, others are spelt."""
    spelt = [*LETTERS, *(f"##{letter}" for letter in LETTERS), ",", "."]
    vocab = {word: i for i, word in enumerate([*SPECIAL, *WORDS, *spelt])}
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    BertWordPieceTokenizer(vocab).save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(vocab))
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder
