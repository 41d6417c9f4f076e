"""The tasks of a pipeline: ours, switched off one by one, and a user's, for doses."""

import pytest
import spacy
from conftest import NOTE, ScriptedEngine, answer_by_note
from known_note import ALL
from thinc.api import Config

from spacy_ramie.corpus.docbin import read_docs
from spacy_ramie.corpus.items import make_items
from spacy_ramie.types import Answer, Request


@pytest.mark.parametrize("task", ["ner", "re", "te", "uc"])
def test_a_task_that_is_switched_off_is_not_asked(scripted, task):
    nlp, engine = scripted(tasks={task: None})
    doc = nlp(NOTE)
    asked = {request.task for request in engine.requests}
    # Without NER the ends of triples are the entities.
    assert asked == {"ner", "re", "te", "uc"} - {task}
    assert bool(doc.cats) is (task != "uc")


DOSE = """
import spacy

from spacy_ramie.styles.shown import show
from spacy_ramie.tasks.base import in_unit, local
from spacy_ramie.types import Annotations, Failure, Question


class DoseTask:
    name = "dose"
    wave = 2
    labels = ()

    def __init__(self, style):
        self.style = style

    def instruction(self):
        return "Copy the dose of the [[mention]]."

    def questions(self, unit, entities):
        return [self.question(unit, e) for e in entities if in_unit(unit, e)]

    def question(self, unit, entity):
        place = local(unit, entity)
        asked = self.style.ask_mention(show(unit.text), place, "dose")
        return Question(self.name, unit, asked, (entity,))

    def gold(self, question, known):
        doses = {item["entity"]: item["dose"] for item in known.values.get("doses", ())}
        return doses.get(question.about[0])

    def read(self, question, answer):
        if answer.text not in question.unit.text:
            failure = Failure("ungrounded", "no such dose", answer.text)
            return Annotations(failures=(failure,))
        (entity,) = question.about
        dose = {"start": entity.start, "end": entity.end, "dose": answer.text}
        return Annotations(values={"doses": (dose,)})


@spacy.registry.misc("clinic.Dose.v1")
def make_dose():
    return lambda schema, style: DoseTask(style)
"""
DOSE_CONFIG = """
[nlp]
lang = "en"
pipeline = ["ramie_extractor"]

[components]

[components.ramie_extractor]
factory = "ramie_extractor"

[components.ramie_extractor.tasks]

[components.ramie_extractor.tasks.dose]
@misc = "clinic.Dose.v1"
"""


@pytest.fixture
def with_dose(tmp_path, bank):
    """A pipeline with a fifth task, written in a user's file."""
    path = tmp_path / "clinic_dose.py"
    path.write_text(DOSE)
    spacy.util.import_file("clinic_dose", path)
    config = Config().from_str(DOSE_CONFIG)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(bank))
    return nlp, component


def test_a_task_of_a_user_is_asked_and_read(with_dose):
    nlp, component = with_dose

    def answer(request: Request) -> Answer:
        if request.task != "dose":
            return answer_by_note(request)
        return Answer("3 mg" if "[[ melatonin ]]" in request.parts[-1] else "9 g")

    component.extraction.engine = engine = ScriptedEngine(answer)
    record = nlp(NOTE)._.ramie
    assert record["values"] == {"doses": [{"start": 8, "end": 17, "dose": "3 mg"}]}
    asked = [request for request in engine.requests if request.task == "dose"]
    assert len(asked) == len(ALL)
    assert asked[0].parts[0] == (
        "### Instruction:\nCopy the dose of the [[mention]].\n\n"
    )
    kinds = [(f["task"], f["kind"]) for f in record["failures"]]
    assert kinds == [("dose", "ungrounded")] * 4


def test_a_task_of_a_user_has_training_items_and_exemplars(with_dose, bank):
    nlp, component = with_dose
    docs = read_docs(bank, nlp, component.schema)
    items = make_items(docs, list(component.extraction.tasks.values()))
    (item,) = [item for item in items if item.question.task == "dose"]
    assert item.completion == "3 mg"
    assert "[[ melatonin ]]" in item.question.input

    component.extraction.engine = engine = ScriptedEngine(answer_by_note)
    nlp(NOTE)
    asked = [request for request in engine.requests if request.task == "dose"]
    expected = component.extraction.style.example_part(item.question.input, "3 mg")
    assert {request.parts[1] for request in asked} == {expected}
