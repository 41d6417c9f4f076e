"""Against how others run a local model: one prompt a call.

The model, its adapter, the prompts, the numbers and the threads are the same.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import spacy
import torch
from peft import PeftModel
from spacy.tokens import Doc
from spacy_llm.registry import registry
from transformers import GenerationConfig

from spacy_ramie import default
from spacy_ramie.device import multiplies_bfloat16
from spacy_ramie.engine.loading import load_base
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.types import Request

from .rounds import Row, alternate, same_texts, times_as_fast
from .scene import Scene, texts

# The reference script's loop is so slow that it answers one request in so many.
SAMPLE = 32
PAPER_TOKENS = 300


def bench(scene: Scene) -> list[Row]:
    """All four tasks: answered as requests of the engine and one by one."""
    engine = scene.engine
    rows = []
    dtypes = ["float32"]
    if multiplies_bfloat16(torch.device("cpu")):
        dtypes.append("bfloat16")
    for dtype in dtypes:
        engine.dtype = dtype
        engine.set_adapter(engine.adapter)
        rows.append(against_spacy_llm(scene))
    engine.dtype = None
    engine.set_adapter(engine.adapter)
    return [*rows, against_script(scene)]


def against_spacy_llm(scene: Scene) -> Row:
    """The same model, prompts and numbers, one prompt a call."""
    loop = spacy_llm_loop(scene)
    arms = alternate(
        {
            "engine": lambda: scene.engine.run(scene.requests),
            "spacy-llm": lambda: loop(scene.requests),
        },
        scene.rounds,
    )
    alike = same_texts(texts(arms["engine"].result), arms["spacy-llm"].result)
    return times_as_fast(
        f"four tasks, natural stop, {scene.engine.dtype}",
        "spacy-llm 0.7.4's loop",
        target=5,
        new=arms["engine"],
        old=arms["spacy-llm"],
        note=f"{len(scene.requests)} requests; {alike:.0%} of the answers are the same (no grammar there)",
    )


def against_script(scene: Scene) -> Row:
    """The reference script's loop on some of the requests, its time scaled."""
    script, sample = reference_loop(scene), scene.requests[::SAMPLE]
    arms = alternate(
        {
            "engine": lambda: scene.engine.run(scene.requests),
            "script": lambda: script(sample),
        },
        scene.rounds,
    )
    return times_as_fast(
        "four tasks",
        "the reference script's loop",
        target=15,
        new=arms["engine"],
        old=arms["script"],
        note=f"the script answers {len(sample)} of {len(scene.requests)} requests, its time is scaled",
        work=len(scene.requests) / len(sample),
    )


def spacy_llm_loop(scene: Scene) -> Callable[[Sequence[Request]], list[str]]:
    """A pipeline of spacy-llm whose model answers one prompt a call.

    The model is registered as spacy-llm's own Hugging Face models are, and loops
    as those do (spacy_llm/models/hf/mistral.py); merged weights, no grammar.
    """
    runner = scene.engine.load()
    tokens = runner.tokens

    def answer(prompts: Iterable[Iterable[Sequence[int]]]) -> list[list[str]]:
        return [
            [generate(runner.model, tokens, ids, 128, tokens.eos) for ids in of_doc]
            for of_doc in prompts
        ]

    class Asks:
        def generate_prompts(self, docs: Iterable[Doc]) -> Iterable[Any]:
            for doc in docs:
                yield scene.prompt(doc.user_data["request"]).prompt

        def parse_responses(
            self, docs: Iterable[Doc], responses: Iterable[Iterable[str]]
        ) -> Iterable[Doc]:
            for doc, (text,) in zip(docs, responses, strict=True):
                doc.user_data["said"] = text
                yield doc

    registry.llm_models("bench.OnePromptACall.v1", func=lambda: answer)
    registry.llm_tasks("bench.Asks.v1", func=Asks)
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "llm",
        config={
            "task": {"@llm_tasks": "bench.Asks.v1"},
            "model": {"@llm_models": "bench.OnePromptACall.v1"},
            "validate_types": False,
        },
    )

    def run(requests: Sequence[Request]) -> list[str]:
        docs = []
        for number, request in enumerate(requests):
            # Its cache knows a note by its text.
            doc = nlp.make_doc(str(number))
            doc.user_data["request"] = request
            docs.append(doc)
        return [doc.user_data["said"] for doc in nlp.pipe(docs)]

    return run


def reference_loop(scene: Scene) -> Callable[[Sequence[Request]], list[str]]:
    """The loop of the paper's script on a CPU.

    One prompt a call, the adapter beside the base, and always 300 tokens: its
    training texts have no end, so that generation has none (paper's repository,
    2_generation.py).
    """
    base = load_base(default.NAME)
    # Else transformers fills in the end that the base was saved with.
    base.generation_config = GenerationConfig()
    model = PeftModel.from_pretrained(base, str(default.ADAPTER)).eval()
    tokens = scene.engine.load().tokens

    def run(requests: Sequence[Request]) -> list[str]:
        prompts = [scene.prompt(request).prompt for request in requests]
        return [generate(model, tokens, ids, PAPER_TOKENS, None) for ids in prompts]

    return run


@torch.inference_mode()
def generate(
    model: Any, tokens: PromptTokenizer, ids: Sequence[int], room: int, end: int | None
) -> str:
    """Answer one prompt, greedily and without a grammar.

    model (Any): The model.
    tokens (PromptTokenizer): Its tokenizer.
    ids (Sequence[int]): The prompt.
    room (int): Tokens of the answer at most.
    end (int | None): The token that ends it; None: none does.
    RETURNS (str): The answer.
    """
    prompt = torch.tensor([list(ids)])
    output = model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        generation_config=GenerationConfig(
            do_sample=False,
            max_new_tokens=room,
            eos_token_id=end,
            pad_token_id=tokens.eos,
        ),
    )
    new = output[0, prompt.shape[1] :]
    text: str = tokens.tokenizer.decode(new, skip_special_tokens=True)
    return text
