"""Tokenizers of the published kinds, and random models saved as they are published."""

import json

import torch
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from tokenizers.trainers import BpeTrainer
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)


def piece_tokenizer(texts):
    """Of the kind of Llama 2: spelled blanks, unknown characters as bytes."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    lines = [
        line.encode("ascii", "ignore").decode()
        for text in texts
        for line in text.split("\n")
    ]
    learner.train_from_iterator(lines, BpeTrainer(vocab_size=300, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    special = ["<unk>", "<s>", "</s>"]
    names = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *learnt["vocab"]]
    tokenizer = Tokenizer(
        models.BPE(
            {name: i for i, name in enumerate(names)},
            [tuple(pair) for pair in learnt["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return with_start(tokenizer, special, "<s>", "</s>", unk_token="<unk>")


def byte_tokenizer(texts):
    """Of the kind of Llama 3: byte-level BPE."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    words = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=550, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    start, end = "<|begin_of_text|>", "<|end_of_text|>"
    return with_start(tokenizer, [start, end, "<|eot_id|>"], start, end)


def with_start(tokenizer, special, start, end, **kwargs):
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.token_to_id(start))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=start,
        eos_token=end,
        # As published with Llama 3.
        clean_up_tokenization_spaces=True,
        **kwargs,
    )


def build_base(preset, tokenizer, folder, *, spread, seed=0):
    """Save a random model and its tokenizer as they are published."""
    torch.manual_seed(seed)
    config = preset.config(
        vocab_size=len(tokenizer) + preset.padding,
        intermediate_size=64,
        max_position_embeddings=2048,
        initializer_range=spread,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **preset.shape,
    )
    classes = {LlamaConfig: LlamaForCausalLM, MistralConfig: MistralForCausalLM}
    model = classes[preset.config](config)
    # Llama 2 and 3 are published with sampling as their default.
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.6,
        top_p=0.9,
        eos_token_id=config.eos_token_id,
        bos_token_id=config.bos_token_id,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if preset.kind == "pieces":
        file = folder / "tokenizer_config.json"
        settings = json.loads(file.read_text())
        settings |= {"tokenizer_class": "LlamaTokenizer", "legacy": True}
        file.write_text(json.dumps(settings))
    return folder
