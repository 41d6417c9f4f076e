"""The figures of `spacy evaluate`: shares, and counts behind `ramie_`."""

SHARES = [
    *(
        f"{kind}_{x}"
        for kind in ("ents", "ramie_re", "ramie_te", "ramie_uc")
        for x in "prf"
    ),
    "ramie_re_gold_acc",
    "ramie_uc_gold_acc",
]
COUNTS = ["requests", "unparsable", "ungrounded", "truncated"]
