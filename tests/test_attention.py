"""Masks made in one step are those that transformers makes, wherever they are used."""

import pytest
import torch
from transformers import (
    BloomConfig,
    FalconConfig,
    GenerationConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)
from transformers.models.auto import AutoModelForCausalLM

from spacy_ramie.engine import attention
from spacy_ramie.engine.attention import causal_mask, make_masks
from spacy_ramie.engine.prefix import pad_left, positions

WIDTH = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
ROTARY = {
    **WIDTH,
    "intermediate_size": 48,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
PLAIN = {
    "llama": LlamaConfig(**ROTARY),
    "mistral": MistralConfig(**ROTARY, num_key_value_heads=2, sliding_window=None),
    "qwen2": Qwen2Config(**ROTARY, num_key_value_heads=2),
    "gpt_neox": GPTNeoXConfig(**ROTARY),
    "falcon": FalconConfig(**WIDTH, alibi=False, pad_token_id=0),
}
# The mask is also read for positions or biases, or attention sees a window only.
OTHERS = {
    "mistral, sliding": MistralConfig(
        **ROTARY, num_key_value_heads=2, sliding_window=4
    ),
    "llama, eager": LlamaConfig(**ROTARY, attn_implementation="eager"),
    "falcon, alibi": FalconConfig(**WIDTH, alibi=True, pad_token_id=0),
    "bloom": BloomConfig(vocab_size=60, hidden_size=32, n_layer=2, n_head=4),
    "gpt2": GPT2Config(vocab_size=60, n_embd=32, n_layer=2, n_head=4),
}
ROWS = [[5, 6, 7, 8, 9, 10], [11, 12], [13, 14, 15]]


def build(config):
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def answers(model):
    """The logits of a padded batch, and what is generated behind it."""
    ids, seen = pad_left(ROWS, 0)
    with torch.inference_mode():
        read = model(input_ids=ids, attention_mask=seen, position_ids=positions(seen))
        said = model.generate(
            input_ids=ids,
            attention_mask=seen,
            generation_config=GenerationConfig(
                do_sample=False, max_new_tokens=6, pad_token_id=0
            ),
        )
    return read.logits[seen.bool()], said


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_a_model_answers_as_it_did_before(name, monkeypatch):
    model = build({**PLAIN, **OTHERS}[name])
    made = []

    def counted(*args):
        made.append(args)
        return causal_mask(*args)

    monkeypatch.setattr(attention, "causal_mask", counted)
    logits, said = answers(model)

    make_masks(model)
    again, said_again = answers(model)

    torch.testing.assert_close(again, logits, atol=1e-5, rtol=1e-4)
    assert torch.equal(said_again, said)
    # One for the logits and one for each token that was generated.
    assert len(made) == (7 if name in PLAIN else 0)


def test_a_token_looks_at_what_came_before_it_and_is_no_padding():
    mask = causal_mask(torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]]), 2)

    assert mask[:, 0].int().tolist() == [
        [[0, 1, 1, 0], [0, 1, 1, 1]],
        [[1, 1, 1, 0], [1, 1, 1, 1]],
    ]
