"""What a report is made from: a labelled note, and the metrics of a pipeline."""

LABELLED = {
    "id": "a",
    "text": "Takes <b> melatonin </b> & lavender for insomnia, not nausea.",
    "entities": [
        {"id": "T1", "start": 10, "end": 19, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 27, "end": 35, "label": "DS"},
        {"id": "T3", "start": 40, "end": 48, "label": "EVENT"},
    ],
    "relations": [{"head": "T1", "tail": "T3", "label": "POSITIVE"}],
    "usage": [{"entity": "T1", "label": "CONTINUE"}],
}


def prf(p, r, f):
    return {"p": p, "r": r, "f": f}


# No two numbers are the same, so that none can stand in for another.
METRICS = {
    **{"ents_p": 0.111, "ents_r": 0.122, "ents_f": 0.133},
    **{"ramie_re_p": 0.211, "ramie_re_r": 0.222, "ramie_re_f": 0.233},
    **{"ramie_te_p": 0.311, "ramie_te_r": 0.322, "ramie_te_f": 0.333},
    **{"ramie_triples_p": 0.341, "ramie_triples_r": 0.342, "ramie_triples_f": 0.343},
    **{"ramie_uc_p": 0.411, "ramie_uc_r": 0.422, "ramie_uc_f": 0.433},
    "ramie_re_gold_acc": 0.511,
    "ramie_uc_gold_acc": 0.522,
    "ents_per_type": {"DS": prf(0.611, 0.622, 0.633), "EVENT": prf(0.6, 0.61, 0.62)},
    "ramie_re_per_type": {"POSITIVE": prf(0.711, 0.722, 0.733)},
    "ramie_te_per_type": {"NEGATIVE": prf(0.811, 0.822, 0.833)},
    "ramie_triples_per_type": {"NEGATIVE": prf(0.841, 0.842, 0.843)},
    "ramie_uc_per_type": {"START": prf(0.911, 0.922, 0.933)},
    "ramie_requests": 4711,
    "ramie_unparsable": 12,
    "ramie_ungrounded": 13,
    "ramie_truncated": 14,
    "ramie_too_long": 15,
    "ramie_engine_errors": 16,
    "speed": 17.5,
    **{"ents_ece": 0.541, "ents_brier": 0.542},
    "ents_bins": [
        {"answers": 7, "probability": 0.31, "right": 0.2},
        {"answers": 3, "probability": 0.95, "right": 1.0},
    ],
}
