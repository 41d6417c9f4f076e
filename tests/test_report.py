"""The plots of the report, by what is in the files, and its filters in a browser."""

import re
import shutil
import subprocess

import pytest
import srsly
from conftest import ROOT
from markupsafe import Markup
from report_files import METRICS
from test_mistakes import guess

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.experiments.config import load_experiment
from spacy_ramie.experiments.table import COSTS, FIGURES
from spacy_ramie.plots.interference import TOGETHER, effects_of
from spacy_ramie.plots.learning import curves_of
from spacy_ramie.plots.retrieval import retrieval_curves
from spacy_ramie.plots.svg import draw
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring import report as report_module
from spacy_ramie.scoring.report import Measured, render_report
from spacy_ramie.scoring.studies import study_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def experiment(name):
    """What `ramie experiment` would write, with figures made up here."""
    plan = load_experiment(ROOT / "configs/experiments" / f"{name}.cfg", {})
    settings = {"config": f"{name}.cfg", "against": plan.against}
    settings["arms"] = {arm.name: arm._asdict() for arm in plan.arms}
    report = {"settings": settings, "cost": {}}
    for number, arm in enumerate(plan.arms):
        report["cost"][arm.name] = dict.fromkeys(COSTS, 1.5 + number)
        tasks = {task for group in arm.groups for task in group}
        for ruler, figures in FIGURES.items():
            report.setdefault(ruler, {})[arm.name] = {
                figure: {
                    **{"f1": number / 100, "low": 0.0, "high": 0.5, "seeds": []},
                    "p": None if arm.name == plan.against else number / 100,
                }
                for figure in figures
                if not tasks or figure.partition("_")[0] in tasks
            }
    # As JSON has it: lists, not tuples.
    return srsly.json_loads(srsly.json_dumps(report))


# Experiments


def test_every_experiment_has_a_table_for_each_ruler_and_its_command():
    report = experiment("ablation")
    report["settings"]["options"] = ["--experiment.seeds", "[0, 1]"]

    study = study_of("x", "metrics/my ablation.json", report)

    assert len(study.tables) == 3
    assert study.command == (
        "python -m spacy ramie experiment ablation.cfg 'metrics/my ablation.json' "
        "--experiment.seeds '[0, 1]'"
    )
    strict = {row[0]: row[1:] for row in study.tables[0].rows}
    assert strict["multi_task"][0] == "1.0 (0.0 to 50.0)"
    # It differs from that of `multi_task` (p below 0.05).
    assert strict["random"][0] == "2.0* (0.0 to 50.0)"


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("ablation", ["cost"]),
        ("fewshot", ["training records", "cost"]),
        ("interference", ["an adapter of its own", "cost"]),
    ],
)
def test_an_experiment_is_drawn_by_what_its_arms_are(name, drawn):
    # The name of the file says nothing.
    study = study_of("x", "x.json", experiment(name))

    captions = [" ".join(figure.caption.split()) for figure in study.figures]
    assert len(captions) == len(drawn)
    assert all(word in text for word, text in zip(drawn, captions, strict=True))


def test_a_file_that_does_not_say_what_its_arms_are_has_tables_and_costs():
    report = experiment("fewshot")
    del report["settings"]["arms"], report["settings"]["config"]

    study = study_of("x", "x.json", report)

    assert (len(study.tables), len(study.figures)) == (3, 1)


def test_the_full_bank_ends_in_the_arm_that_all_records_are_used_in():
    curves = curves_of(experiment("fewshot")["settings"]["arms"])

    assert curves["no exemplar"][0] == (0.01, "p1_none")
    assert [name for _, name in curves["retrieved exemplars from all records"]] == [
        *(f"p{percent}_full_bank" for percent in (1, 5, 10, 25, 50)),
        "all_small_bank",
    ]
    small = curves["retrieved exemplars from the records trained on"]
    assert small[-1] == (1.0, "all_small_bank")
    assert len(curves) == 3


def test_interference_is_what_a_task_gains_by_its_partner():
    report = experiment("interference")
    arms, strict = report["settings"]["arms"], report["strict"]

    effects = effects_of(arms, strict, "alone")

    # Arms have one point more than the one before.
    gains = {(e.task, e.partner): round(100 * e.gain) for e in effects}
    assert gains["ner", "re"] == gains["re", "ner"] == 1
    assert gains["te", "uc"] == 6
    assert gains["uc", TOGETHER] == 7
    assert len(gains) == 16
    assert {e.differs for e in effects if e.partner == TOGETHER} == {False}
    assert {e.differs for e in effects if e.partner == "re"} == {True, False}


# SVG


def strange(figure):
    panel = figure.subplots()
    panel.bar(["<script>alert(1)</script>", "$a_arm", "50 %"], [1, 2, 3])
    panel.plot([0, 9], [0, 9], marker="o")


def test_a_drawing_is_text_that_fetches_nothing():
    svg = draw("one", 'a "title"', (3, 2), strange)

    assert not re.search(r"url\(|https?:|<script|<style|<image|@import|metadata", svg)
    assert "&lt;script&gt;" in svg
    assert "$a_arm</text>" in svg


def test_the_same_drawing_is_the_same_text_whatever_the_settings():
    import matplotlib

    before = draw("one", "title", (3, 2), strange)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path"}):
        after = draw("one", "title", (3, 2), strange)
        assert matplotlib.rcParams["font.size"] == 30

    assert after == before


def test_two_drawings_share_no_id():
    one, other = (draw(name, "title", (3, 2), strange) for name in ("one", "two"))

    def ids(svg):
        return set(re.findall(r'\bid="(.*?)"', svg))

    assert ids(one) and not ids(one) & ids(other)
    assert {*re.findall(r'href="#(.*?)"', one)} <= ids(one)


# The page


def measured(**changed):
    nothing = dict.fromkeys(Measured._fields, {})
    return Measured(**{**nothing, "scores": METRICS, **changed})


@pytest.fixture
def render(scripted, records, tmp_path):
    """Render the page of a pipeline that guesses."""
    srsly.write_jsonl(tmp_path / "bank.jsonl", records[:25])
    nlp, _ = scripted(guess)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(tmp_path / "bank.jsonl"))
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[25:]]
    names = ("evaluate", "report", "compare", "variants", "neighbours")
    commands = {name: f"python -m spacy {name}" for name in names}

    def render(given):
        return render_report(given, docs, nlp, component, {}, [], commands)

    return render


def articles(page):
    return re.findall(r"<article.*?</article>", page, re.S)


def test_where_exemplars_helped_and_harmed_is_on_the_page(render):
    named = re.search(r"(ds-\d+/\d+), similarity", render(measured()))[1]
    case = {"record": "ds-9", "label": "DS", "text": "zinc"}
    shown = [{"id": named, "similarity": 0.25}, {"id": "gone/0", "similarity": 0.5}]
    one = {"ner": {"count": 31, "cases": [{**case, "exemplars": shown}]}}
    none = {"ner": {"count": 0, "cases": []}}

    page = render(measured(cases={"helped": one, "harmed": none}))

    assert "<td>31</td><td>0</td>" in page
    row = re.search(r"<td>zinc</td>.*?</tr>", page, re.S)[0]
    assert f"{named}, 0.25" in row and "⇒" in row
    # An exemplar that the pipeline no longer has is named all the same.
    assert "gone/0, 0.50" in row


def test_everything_together_fetches_nothing(render):
    queries = {
        "copied": 0.2,
        **{f"{m}@{k}": 0.5 for m in ("precision", "recall", "ndcg") for k in (1, 3)},
    }
    page = render(
        measured(
            neighbours={
                "hashing": {
                    "ner": {"sentence": queries, "with answer": queries},
                    "re": {},
                },
                "chance": {"ner": {"sentence": queries}},
            },
            experiments={
                f"{n}.json": experiment(n) for n in ("fewshot", "interference")
            },
        )
    )

    assert page.count("<svg") == 7
    assert not re.search(r"url\(|@import|https?://|<script|<link|<img|<iframe", page)
    ids = re.findall(r'\bid="(.*?)"', page)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'href="#(.*?)"', page)} <= {*ids}


def test_there_is_one_drawing_of_both_queries():
    queries = {"copied": 0.2, "precision@1": 0.5, "recall@1": 0.5, "ndcg@1": 0.5}

    svg = retrieval_curves("x", {"ner": {"sentence": queries, "with answer": queries}})

    assert "precision@k" in svg and "ner</text>" in svg


def test_what_there_is_no_room_for_is_counted(render, monkeypatch):
    whole = render(measured())
    monkeypatch.setattr(report_module, "ROOM", 40_000)

    page = render(measured())

    assert "Not shown" not in whole
    said = re.search(r"Not shown: (.*?)</p>", page, re.S)[1]
    hidden = sum(
        map(int, re.findall(r"(\d+) (?:boundary|wrong|missed|invented)", said))
    )
    assert 0 < len(articles(page)) == len(articles(whole)) - hidden
    assert sum(len(entry.encode()) for entry in articles(page)) <= 40_000
    # The table of all is that of all.
    assert re.findall(r"<td>\d+</td>", page) == re.findall(r"<td>\d+</td>", whole)


def test_every_filter_has_its_rule(render):
    page = render(measured())

    inputs = re.findall(r'<input type="\w+".*? id="(.*?)"', page)
    rules = re.findall(r"\.browser:has\(#(.*?):checked\)", page)
    assert {i for i in inputs if not i.endswith("-all")} == {*rules}
    assert len(rules) == len({*rules}) == 4 + 4 + 9 + 1


SEEN = """
<script>
const count = () => [...document.querySelectorAll(".mistake")]
  .filter(entry => entry.offsetParent).length;
const seen = [["", count()]];
for (const ids of %s) {
  for (const id of ids) document.getElementById(id).click();
  seen.push([ids.join(" "), count()]);
  for (const id of ["task-all", "kind-all", "label-all"])
    document.getElementById(id).click();
  const copied = document.getElementById("copied");
  if (copied.checked) copied.click();
}
const told = document.createElement("pre");
told.id = "seen";
told.textContent = JSON.stringify(seen);
document.body.append(told);
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_filters_leave_what_they_say(render, tmp_path):
    page = render(measured())
    labels = re.findall(r'id="(label-\d+)">(\w+)<', page)
    asked = {
        **{f"task-{t}": f'data-task="{t}"' for t in ("ner", "re", "te", "uc")},
        **{f"kind-{i}": f'data-kind="{k}"' for i, k in enumerate(report_module.KINDS)},
        **{name: f'<span class="tag">{label}</span>' for name, label in labels},
        "copied": "data-copied",
    }
    choices = [[name] for name in asked]
    choices += [["task-ner", "kind-0"], ["task-uc", labels[0][0], "copied"]]
    file = tmp_path / "page.html"
    # The page has no script: this one only looks.
    file.write_text(page + SEEN % choices)

    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )

    told = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout)
    assert told, done.stderr[-2000:]
    seen = dict(srsly.json_loads(Markup(told[1]).unescape()))
    entries = articles(page)
    assert seen.pop("") == len(entries)
    for names, count in seen.items():
        parts = [asked[name] for name in names.split()]
        assert count == sum(all(part in entry for part in parts) for entry in entries)
    assert 0 < seen["kind-2"] < len(entries)
