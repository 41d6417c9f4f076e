"""First weights with which a small Llama can copy before it has learnt anything.

To name a span of its prompt a model needs two heads one above the other: one that
brings to each token what stood before it, and one that looks where the current token
stood and copies what came after (induction heads, Olsson et al. 2022,
arXiv:2209.11895). A few million weights take longer than a CPU has to find that
circuit by chance, and without it nothing but known spans is ever named. So it is
written into the first weights; training is free to change all of them.
"""

import math

import torch
from transformers import LlamaForCausalLM

# Standard deviations of the first weights: of the embeddings, and of what the other
# heads and the MLPs write, so small that it does not drown the circuit.
EMBEDDING, OTHERS = 0.04, 0.005
# Part of an embedding's length that all tokens have in common.
COMMON = 0.5
# How much the scores of attention favour the token before over its neighbours, and
# a token that matches over one that does not.
BEFORE, MATCH = 8.0, 12.0
# How many heads of a layer copy, and how loud.
HEADS, LOUDNESS = 3, 3.0
# Rotary pairs that turn fast enough to tell a token from its neighbour.
FAST = 8


@torch.no_grad()
def wire_copying(model: LlamaForCausalLM, seed: int) -> None:
    """Write a copying circuit into the first weights of a model.

    The first head of the first layer attends to the token before and writes it
    beside the current one. Three heads of the second layer attend to where that is
    the current token; they and three of each later layer write what they attend to
    into the direction of its own embedding, which is the output's too.

    model (LlamaForCausalLM): Embeddings tied; changed in place. One with fewer than
        two layers or three heads has no room and is left alone.
    seed (int): Source of chance.
    """
    config = model.config
    width, heads = config.hidden_size, config.num_attention_heads
    size = width // heads
    own = width - 1 - size
    if config.num_hidden_layers < 2 or own < size:
        return
    chance = torch.Generator().manual_seed(seed)

    def basis(rows: int, columns: int) -> torch.Tensor:
        """Orthonormal columns."""
        random = torch.randn(rows, columns, generator=chance)
        columns_of: torch.Tensor = torch.linalg.qr(random)[0]
        return columns_of

    # The stream of a token has three parts: what all have in common, the token
    # before it, and itself.
    axes = basis(width, width)
    common, before, itself = axes[:, :1], axes[:, 1 : 1 + size], axes[:, 1 + size :]
    length = EMBEDDING * math.sqrt(own)
    codes = torch.randn(config.vocab_size, own, generator=chance) * EMBEDDING
    embeddings = codes @ itself.T + COMMON * length * common[:, 0]
    model.model.embed_tokens.weight.copy_(embeddings)
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.normal_(0, OTHERS, generator=chance)
        layer.mlp.down_proj.weight.normal_(0, OTHERS, generator=chance)

    # Rotary pairs (i, i + size / 2) turn by this angle from token to token.
    turn = model.model.rotary_emb.inv_freq.float().cpu()
    half = len(turn)
    fast, slow = torch.arange(half) < FAST, torch.arange(half) >= half // 2 + 2

    # RMSNorm stretches a stream to this length.
    normed = math.sqrt(width)
    stretch = normed / (length * math.sqrt(1 + COMMON**2))
    ahead = torch.cat([torch.cos(turn) * fast, torch.sin(turn) * fast])
    here = torch.cat([fast.float(), torch.zeros(half)])
    gap = ((1 - torch.cos(turn)) * fast).sum()
    scale = torch.sqrt(BEFORE * math.sqrt(size) / gap) / (COMMON * length * stretch)
    first = model.model.layers[0].self_attn
    name = itself @ basis(own, size)
    first.q_proj.weight[:size] = scale * here[:, None] * common.T
    first.k_proj.weight[:size] = scale * ahead[:, None] * common.T
    first.v_proj.weight[:size] = name.T
    first.o_proj.weight[:, :size] = before / stretch

    # Pairs that hardly turn compare tokens wherever they stand.
    still = torch.cat([slow, slow])
    stretch = normed / (length * math.sqrt(1 + COMMON**2 + size / own))
    alike = (stretch * length) ** 2 * int(still.sum()) / own
    loud = math.sqrt(MATCH * math.sqrt(size) / alike)
    copied = itself @ basis(own, own)
    for depth, layer in enumerate(model.model.layers[1:]):
        for head in range(min(HEADS, own // size)):
            rows = slice(head * size, (head + 1) * size)
            attention = layer.self_attn
            if depth == 0:
                mixed = basis(size, size)[:, : int(still.sum())]
                query, key = torch.zeros(size, width), torch.zeros(size, width)
                query[still], key[still] = (name @ mixed).T, (before @ mixed).T
                attention.q_proj.weight[rows] = loud * query
                attention.k_proj.weight[rows] = loud * key
            attention.v_proj.weight[rows] = copied[:, rows].T
            attention.o_proj.weight[:, rows] = LOUDNESS / stretch * copied[:, rows]
