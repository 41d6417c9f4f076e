"""Under the grammar of a sentence every answer is legal, and every legal one is open.

A real byte-level BPE tokenizer and the masks that the engine uses.
"""

from collections.abc import Iterator
from functools import partial

import llguidance
import llguidance.hf
import pytest
import spacy
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sentences import MARKS, WORDS, pieces, unit_of, units

from spacy_ramie import default
from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.items import make_items
from spacy_ramie.engine.grammar import ORDERED_WORDS
from spacy_ramie.engine.loading import load_tokenizer
from spacy_ramie.engine.masking import GrammarMask
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.grounding import place_items
from spacy_ramie.schema import make_supplements
from spacy_ramie.styles import make_compact
from spacy_ramie.styles.shown import show
from spacy_ramie.tasks import make_ner, make_te
from spacy_ramie.training.small_llama import train_tokenizer
from spacy_ramie.types import Unit

STYLE = make_compact()
# One wording begins like another; one has all that a grammar might stumble over.
TYPES = ("event", "event or sign", 'so-called "naïve\\n" / [type] | 日本 😀')
RELATIONS = ("positive", "not related")
COLUMNS = {"ner": (None, TYPES), "te": (None, RELATIONS, None)}
NAMES = {"ner": ("text", "type"), "te": ("head", "relation", "tail")}

both_tasks = pytest.mark.parametrize("task", COLUMNS)


@pytest.fixture(scope="module")
def tokens() -> PromptTokenizer:
    texts = [" ".join(WORDS), *WORDS, *MARKS, *TYPES, *RELATIONS, "green teas\t events"]
    return PromptTokenizer(train_tokenizer(texts * 3, 400), 512)


@pytest.fixture(scope="module")
def ll_tokenizer(tokens) -> llguidance.LLTokenizer:
    return llguidance.hf.from_tokenizer(tokens.tokenizer)


@pytest.fixture(scope="module")
def accepts(tokens, ll_tokenizer):
    """Say whether a grammar takes an answer token by token, and then its end."""

    def check(unit: Unit, task: str, answer: str) -> bool:
        matcher = llguidance.LLMatcher(ll_tokenizer, STYLE.grammar(unit, COLUMNS[task]))
        ids = tokens.completion(answer)
        return matcher.validate_tokens(ids) == len(ids)

    return check


def spans_of(unit: Unit) -> set[str]:
    """Every run of tokens of a sentence, as the model sees it."""
    shown = show(unit.text)
    return {
        shown[start:end]
        for i, (start, _) in enumerate(unit.tokens)
        for _, end in unit.tokens[i:]
    }


def starts(task: str, row: tuple) -> tuple[int, ...]:
    """Where the spans of a row begin; a span is given by its place."""
    return tuple(f[0] for f, w in zip(row, COLUMNS[task], strict=True) if w is None)


def written(unit: Unit, task: str, rows: list[tuple]) -> str:
    """An answer of rows whose spans are given by their places."""
    shown = show(unit.text)
    texts = [[f if isinstance(f, str) else shown[slice(*f)] for f in r] for r in rows]
    return STYLE.write_items(NAMES[task], texts)


def random_walk(
    tokens: PromptTokenizer, ll_tokenizer: llguidance.LLTokenizer, grammars: list[str]
) -> Iterator[list[int]]:
    """Let a model that knows nothing answer under masks, all rows at once."""
    mask = GrammarMask(ll_tokenizer, grammars, llguidance.LLExecutor())
    rows = torch.zeros(len(grammars), 1, dtype=torch.long)
    (tab,) = tokens.completion("\t")[:-1]
    for step in range(400):
        scores = torch.randn(len(grammars), len(tokens.tokenizer))
        if step > 16:
            scores[:, tab] += 10
            scores[:, tokens.eos] += 20
        chosen = mask(rows, scores).argmax(dim=-1, keepdim=True)
        rows = torch.cat([rows, chosen], dim=1)
        if (rows == tokens.eos).any(dim=1).all():
            break
    for row in rows[:, 1:].tolist():
        yield row[: row.index(tokens.eos)]


@both_tasks
@given(units=st.lists(units, min_size=1, max_size=3), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_whatever_is_legal_can_be_read_and_grounded(
    task, tokens, ll_tokenizer, units, seed
):
    torch.manual_seed(seed)
    grammars = [STYLE.grammar(unit, COLUMNS[task]) for unit in units]
    answers = random_walk(tokens, ll_tokenizer, grammars)
    for unit, ids in zip(units, answers, strict=True):
        text, ends = tokens.decode(ids)
        rows, unread = STYLE.read_items(NAMES[task], text)
        assert unread == []
        assert ends[-1] == len(text)
        assert [text[row.start : row.end] for row in rows] == (
            [] if text == "None" else text.split("\n")
        )
        for row in rows:
            for field, words in zip(row.fields, COLUMNS[task], strict=True):
                assert field in (words or spans_of(unit))
        if task == "ner":
            said = [row.fields[0] for row in rows]
            places = place_items(unit, said)
            assert [show(unit.text)[p.start : p.end] for p in places] == said
            assert len({(p.start, p.end) for p in places}) == len(places)


@both_tasks
@given(data=st.data(), unit=units)
@settings(deadline=None)
def test_every_list_in_the_order_of_the_sentence_is_legal(task, accepts, data, unit):
    places = pieces(unit)
    row = st.tuples(*[st.sampled_from(w) if w else places for w in COLUMNS[task]])
    rows = data.draw(
        st.lists(row, max_size=4, unique_by=partial(starts, task)).map(
            partial(sorted, key=partial(starts, task))
        )
    )
    assert accepts(unit, task, written(unit, task, rows))


@both_tasks
@given(data=st.data(), unit=units)
@settings(deadline=None)
def test_a_list_that_goes_back_or_stands_still_is_illegal(task, accepts, data, unit):
    # Where a word stands twice, its second place may be meant.
    assume(len({show(unit.text)[s:e] for s, e in unit.tokens}) == len(unit.tokens))
    places = pieces(unit)
    row = st.tuples(*[st.sampled_from(w) if w else places for w in COLUMNS[task]])
    first, second = data.draw(st.tuples(row, row))
    assume(starts(task, second) <= starts(task, first))
    assert not accepts(unit, task, written(unit, task, [first, second]))


def test_a_word_can_be_named_as_often_as_it_stands_there(accepts):
    unit = unit_of("zinc, then more zinc")
    once, twice, thrice = ("\n ".join(["zinc\t event"] * n) for n in (1, 2, 3))
    assert accepts(unit, "ner", once)
    assert accepts(unit, "ner", twice)
    assert not accepts(unit, "ner", thrice)


def test_a_very_long_sentence_is_held_to_its_pieces_only(accepts):
    unit = unit_of(" ".join(f"w{i}" for i in range(ORDERED_WORDS + 1)))
    assert accepts(unit, "ner", "w7 w8\t event\n w3\t event")
    assert accepts(unit, "te", "w7\t positive\t w8\n w3\t positive\t w1")
    assert not accepts(unit, "ner", "w7 w9\t event")


@pytest.mark.parametrize("words", [ORDERED_WORDS, 2000])
def test_a_long_sentence_can_be_answered_to_its_end(accepts, words):
    unit = unit_of(" ".join(f"w{i}" for i in range(words)))
    items = [f"w{i}\t positive\t w{j}" for i in range(0, words, 50) for j in (3, 80)]
    assert accepts(unit, "te", "\n ".join(items))


@given(data=st.data(), unit=units)
@settings(deadline=None)
def test_a_piece_of_the_sentence_is_legal_only_at_token_borders(accepts, data, unit):
    shown = show(unit.text)
    start = data.draw(st.integers(0, len(shown) - 1))
    end = data.draw(st.integers(start, min(start + 12, len(shown))))
    text = shown[start:end]
    legal = {blanks + span for span in spans_of(unit) for blanks in ("", " ", "  ")}
    assert accepts(unit, "ner", f"{text}\t event") is (text in legal)


@given(data=st.data(), unit=units, text=st.text(max_size=8).map(show))
@settings(deadline=None)
def test_what_is_not_in_the_sentence_is_illegal(accepts, data, unit, text):
    legal = {blanks + span for span in spans_of(unit) for blanks in ("", " ", "  ")}
    assert accepts(unit, "ner", f"{text}\t event") is (text in legal)


SENTENCE = 'None: took | St. John\'s  wort [\\x5 mg] "{tea}" for mood swings </s>'


@pytest.mark.parametrize(
    "span",
    [
        "None",
        "None:",
        "|",
        "St. John's  wort",
        "[\\x5 mg]",
        '"{tea}"',
        '"',
        "\\x5",
        "</s>",
        SENTENCE,
    ],
)
def test_marks_of_grammars_are_plain_text_in_a_sentence(accepts, span):
    assert accepts(unit_of(SENTENCE), "ner", f"{span}\t event")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="empty"),
        pytest.param("none", id="other case"),
        pytest.param("None\n", id="line break behind None"),
        pytest.param("None\n None", id="None twice"),
        pytest.param("None\n wort\t event", id="item behind None"),
        pytest.param("wort\t event\n None", id="None behind item"),
        pytest.param("wort\t event\n", id="line break at the end"),
        pytest.param("wort\t event\n\n wort\t event", id="blank line"),
        pytest.param("wort", id="no label"),
        pytest.param("wort\t ", id="empty label"),
        pytest.param("wort\t supplement", id="unknown label"),
        pytest.param("wort\t even", id="half a label"),
        pytest.param("wort\t event ", id="blank behind the label"),
        pytest.param("wort event", id="blank for tab"),
        pytest.param("wort\t event\t event", id="field too many"),
        pytest.param("\t event", id="empty span"),
        pytest.param(" \t event", id="blank span"),
        pytest.param("wort \t event", id="blank behind"),
        pytest.param("   wort\t event", id="three blanks before"),
        pytest.param(
            "wort\t event\nwort\t event", id="no blank before the second item"
        ),
        pytest.param("wort\tevent", id="no blank before the label"),
        pytest.param("wor\t event", id="half a token"),
        pytest.param("ort\t event", id="end of a token"),
        pytest.param("John's wort\t event", id="blanks other than in the sentence"),
        pytest.param("St. wort\t event", id="token left out"),
        pytest.param("zinc\t event", id="not in the sentence"),
        pytest.param("wort for\t event", id="not neighbours"),
        pytest.param("Wort\t event", id="other case of a word"),
    ],
)
def test_illegal_answers(accepts, answer):
    assert not accepts(unit_of(SENTENCE), "ner", answer)


@both_tasks
def test_none_is_legal_in_any_sentence(accepts, task):
    assert accepts(unit_of("zinc"), task, "None")


@pytest.mark.parametrize("blanks", ["", " ", "  "])
def test_tokenizers_may_put_a_blank_before_the_answer_or_hide_it(accepts, blanks):
    assert accepts(unit_of("zinc"), "ner", f"{blanks}zinc\t event")
    assert accepts(unit_of("zinc"), "ner", f"{blanks}None")


@pytest.mark.parametrize(
    ("answer", "legal"),
    [
        ("wort\t positive\t mood swings", True),
        ("wort\t positive\t wort\n mood\t not related\t mood", True),
        ("wort\t positive\t mood\n wort\t positive\t swings", True),
        ("wort\t positive\t swings\n mood\t positive\t wort", True),
        ("wort\t positive\t mood\n wort\t positive\t mood", False),
        ("wort\t positive\t mood\n wort\t not related\t mood", False),
        ("wort\t positive\t swings\n wort\t positive\t mood", False),
        ("mood\t positive\t wort\n wort\t positive\t mood", False),
        ("wort\t event\t mood", False),
        ("wort\t positive", False),
        ("wort\t positive\t moo", False),
        ("wort\t positive\t ", False),
    ],
)
def test_triples(accepts, answer, legal):
    assert accepts(unit_of(SENTENCE), "te", answer) is legal


def test_lines_and_tabs_of_a_note_are_blanks_in_spans(accepts):
    unit = unit_of("vitamin\r\nD3\tdaily")
    assert accepts(unit, "ner", "vitamin  D3 daily\t event")
    assert not accepts(unit, "ner", "vitamin\r\nD3\t event")


def masked_scores(
    tokens: PromptTokenizer, mask: GrammarMask, said: list[int], wished: int
) -> torch.Tensor:
    """Scores behind the mask after some tokens, of a model that wishes for one."""
    scores = torch.zeros(1, len(tokens.tokenizer))
    scores[0, wished] = 6.0
    for end in range(len(said) + 1):
        ids = torch.tensor([[0, *said[:end]]])
        masked = mask(ids, scores)
    return masked[0]


@pytest.fixture
def zinc_mask(ll_tokenizer) -> GrammarMask:
    grammar = STYLE.grammar(unit_of("zinc"), COLUMNS["ner"])
    return GrammarMask(ll_tokenizer, [grammar], llguidance.LLExecutor())


def test_nothing_but_the_end_follows_none(tokens, zinc_mask):
    said, wished = tokens.completion("None")[:-1], tokens.completion("!")[0]
    masked = masked_scores(tokens, zinc_mask, said, wished)
    assert masked.isfinite().nonzero().flatten().tolist() == [tokens.eos]


def test_confidence_is_that_of_the_unmasked_model(tokens, zinc_mask):
    wished, wanted = tokens.completion("!")[0], tokens.completion("zinc\t event")[0]
    masked = masked_scores(tokens, zinc_mask, [], wished)
    assert masked[wished] == float("-inf")
    assert masked[wanted] == 0.0
    scores = torch.zeros(len(tokens.tokenizer))
    scores[wished] = 6.0
    expected = scores.log_softmax(dim=-1)[wanted].item()
    assert zinc_mask.logprobs == [[pytest.approx(expected)]]


def test_a_row_without_grammar_is_free(tokens, ll_tokenizer):
    grammar = STYLE.grammar(unit_of("zinc"), COLUMNS["ner"])
    mask = GrammarMask(ll_tokenizer, [None, grammar], llguidance.LLExecutor())
    masked = mask(
        torch.zeros(2, 1, dtype=torch.long), torch.zeros(2, len(tokens.tokenizer))
    )
    assert masked[0].isfinite().all()
    assert not masked[1].isfinite().all()


def test_a_wrong_grammar_is_an_error_and_no_free_text(ll_tokenizer):
    with pytest.raises(ValueError, match="grammar is wrong"):
        GrammarMask(ll_tokenizer, ["start: missing"], llguidance.LLExecutor())


def test_gold_answers_of_the_corpus_are_legal(tokens, ll_tokenizer, records):
    nlp, schema = spacy.blank("en"), make_supplements()
    tasks = [make_ner()(schema, STYLE), make_te()(schema, STYLE)]
    items = list(make_items([gold_doc(r, nlp, schema) for r in records], tasks))
    for item in items:
        matcher = llguidance.LLMatcher(ll_tokenizer, item.question.grammar)
        ids = tokens.completion(item.completion)
        assert matcher.validate_tokens(ids) == len(ids), item.completion
    assert len(items) > 2 * len(records)


@pytest.mark.parametrize("span", ["tea</s>x", "</s>", "<s> tea</s>x", "<s>"])
def test_a_note_may_quote_special_tokens(tokens, ll_tokenizer, span):
    grammar = STYLE.grammar(
        Unit(f"{span} up", 0, ((0, len(span)),)), (None, ("event",))
    )
    mask = GrammarMask(ll_tokenizer, [grammar], llguidance.LLExecutor())
    said: list[int] = []
    for wished in tokens.completion(f"{span}\t event"):
        scores = torch.zeros(1, len(tokens.tokenizer))
        scores[0, wished] = 6.0
        said.append(mask(torch.tensor([[0, *said]]), scores).argmax().item())
    assert said == tokens.completion(f"{span}\t event")


def test_a_grammar_that_outgrows_the_parser_says_so():
    tokens = PromptTokenizer(load_tokenizer(default.NAME), 1024)
    of_vocabulary = llguidance.hf.from_tokenizer(tokens.tokenizer)
    units = unit_of(" ".join(["zinc"] * 90)), unit_of("zinc and zinc")
    grammars = [STYLE.grammar(unit, COLUMNS["ner"]) for unit in units]
    mask = GrammarMask(of_vocabulary, grammars, llguidance.LLExecutor())
    said = torch.zeros(2, 1, dtype=torch.long)
    for token in tokens.completion(" zinc\t event\n zinc\t event"):
        scores = torch.zeros(2, len(tokens.tokenizer))
        scores[:, token] = 20.0
        said = torch.cat([said, mask(said, scores).argmax(-1, keepdim=True)], dim=1)
    assert mask.broken() == [True, False]
