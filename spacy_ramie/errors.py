"""Every error of the package: what is wrong, where, and what to do about it."""


def first_line(error: Exception) -> str:
    """Give the first line of what a library raised; the rest is for its makers.

    error (Exception): What was raised.
    RETURNS (str): One line.
    """
    return str(error).strip().split("\n")[0]


class RamieError(ValueError):
    """What a user can mend: a config, a file, a model. Bad notes never raise it."""


class ConfigError(RamieError):
    """The pipeline's configuration cannot work."""


class CorpusError(RamieError):
    """A corpus record is not as `corpus/README.md` describes it."""


class ModelError(RamieError):
    """The base model or its adapter is missing, damaged or foreign."""


class RetrievalError(RamieError):
    """The exemplar bank or its index is missing, damaged or foreign."""


# fmt: off
class Errors:
    """Texts of the errors, numbered so that they can be searched for."""

    # Configuration
    R001 = "[R001] Schema '{schema}': {problem}. Correct the [schema] block of the config."
    R002 = "[R002] '{name}' of ramie_extractor must be {expected}, but is {value!r}. Correct it in the config of the component."
    R003 = "[R003] The extension attribute '{owner}._.{attr}' already belongs to another component and is left alone. Choose another name: config={{\"attrs\": {{\"{key}\": \"...\"}}}}."
    R004 = "[R004] Task '{task}' is not a registered task: {problem}. A task is made by a registered function that returns `(schema, style) -> Task` (see spacy_ramie/tasks/base.py)."
    R005 = "[R005] Several processes cannot share one CUDA device: nlp.pipe(n_process > 1) works on CPU only. Use n_process=1 (the component batches by itself), or spacy.require_cpu()."
    R006 = "[R006] Config '{path}' has no section [{section}]. Start from configs/{example}."
    R007 = "[R007] Config '{path}' has no component made by the factory 'ramie_extractor'. Add it to [components]."
    R008 = "[R008] Answer style '{style}' has no instruction for the task '{task}'. Give one in the config of the task: instruction = \"...\"."
    R009 = "[R009] Schema '{path}' is neither one that comes with the package nor a file. Known are: {known}."
    R010 = "[R010] Pipeline '{model}' cannot be loaded: {problem}. Give the folder that `spacy assemble` wrote, or the name of an installed package."
    R011 = "[R011] Pipeline '{model}' has no component made by the factory 'ramie_extractor'."
    R012 = "[R012] Config '{path}' has no '{key}' in its section [{section}]. Start from configs/{example}."
    R013 = "[R013] Section [{section}] of the config cannot be used: {problem}. Its settings are the arguments of {owner}."
    R014 = "[R014] Folder '{folder}' holds no baseline. Train it first: python -m spacy ramie baseline CONFIG {folder}"
    R015 = "[R015] '{key}' of '{path}' must be {expected}, but is {value!r}. Start from configs/experiments/ablation.cfg."

    # Corpus
    R101 = "[R101] {path}, line {line}, record {id}: {problem}."
    R102 = "[R102] {path}: no such file. Give the path of a .jsonl or .spacy corpus."
    R103 = "[R103] {path}: {count} bad record(s):\n{problems}"
    R104 = "[R104] {path} holds no record. Training and evaluation need at least one."
    R105 = "[R105] {path} was not written by `spacy ramie convert`: a document has no corpus record in its user data. Convert the .jsonl file again."
    R106 = "[R106] {path} is not a .spacy file: {problem}. Write it with `spacy ramie convert`."

    R107 = "[R107] {name}: none of its examples fits into a context of {context} tokens. Choose a longer context in [ramie.base], or another source."
    R108 = "[R108] {count} record(s) of {path} are nearly exemplars of the pipeline, as {record} is {exemplar} ({share:.0%} the same): what is measured across a leak says nothing. Take them out of the one or the other (`spacy ramie check` lists them), or say --despite-leaks."
    R109 = "[R109] {path} gives a retriever nothing to learn from: no record shares an item of an answer with another one and is similar to a third. Give more records, or a greater [retriever] depth."
    R110 = "[R110] {path}, record {id}: the schema '{schema}' has no label '{label}'. Use a pipeline or a config of the corpus's schema, or convert the records with `--schema {schema}`."

    # Models
    R201 = "[R201] No adapter: the base model '{base}' that comes along has one for the schema of supplements in the compact style only. Train one for yours (python -m spacy ramie train CONFIG --paths.base {base}) and name it in nlp.initialize, or set [components.NAME.engine] base to another model."
    R202 = "[R202] Base model '{base}' cannot be loaded from this machine: {problem}. Nothing is downloaded at inference: fetch it first with `python -m spacy ramie base CONFIG --paths.base {base}`, or correct the path."
    R203 = "[R203] Adapter '{adapter}' cannot be used: {problem}. Train one with `python -m spacy ramie train CONFIG`."
    R204 = "[R204] Adapter '{adapter}' was trained on another base model (fingerprint {trained}) than '{base}' ({found}). Load the base it was trained on, or train a new adapter."
    R205 = "[R205] Base model '{base}' has no fast tokenizer (tokenizer.json). The grammar needs one: convert it with transformers' AutoTokenizer.from_pretrained(...).save_pretrained(...)."
    R206 = "[R206] Base model '{base}' is neither a folder, nor in the Hugging Face cache, and could not be downloaded: {problem}. Correct the name, or download it elsewhere and give the folder."

    # Retrieval
    R301 = "[R301] Index '{path}' does not match its sidecar: {problem}. The files are damaged or mixed up: build the bank again (nlp.initialize, or `spacy assemble`)."
    R302 = "[R302] The exemplar bank was built with the encoder '{stored}', but the pipeline has '{found}'. Use the same encoder, or build the bank again (nlp.initialize, or `spacy assemble`)."
    R303 = "[R303] Annoy is not installed: it is built from source and needs a C++ compiler (Debian: apt-get install g++; conda: conda install -c conda-forge python-annoy). Or use exact search: index = {{\"@misc\": \"spacy_ramie.ExactIndex.v1\"}}."
    R304 = "[R304] Encoder '{encoder}' cannot be loaded from this machine: {problem}. Nothing is downloaded at inference: fetch it first with `python -m spacy ramie base CONFIG`, give the folder of a sentence-transformers model, or use the weightless encoder spacy_ramie.HashingEncoder.v1."
    R305 = "[R305] Encoder spacy_ramie.TrfDataEncoder.v1 reads doc._.trf_data, which {problem}. Put a component of spacy-transformers before ramie_extractor."
    R306 = "[R306] {path} holds no exemplar bank. Save the pipeline with nlp.to_disk after nlp.initialize."
    R307 = "[R307] {path} is damaged: {problem}. Build the bank again (nlp.initialize, or `spacy assemble`)."
    R308 = "[R308] Training a retriever needs the package 'datasets', which is not installed: pip install \"spacy-ramie[retriever]\"."

    # Reports
    R401 = "[R401] The report draws with matplotlib, which is not installed: pip install \"spacy-ramie[report]\"."
    R402 = "[R402] '{path}' is not what `spacy {command}` writes: it has no '{key}'. Give that file, or write it again."
    R403 = "[R403] {problem}. Give a file that can be read or written, text in UTF-8."
    R404 = "[R404] '{path}' is not a JSON file: {problem}. Give the one that the command wrote."
    R405 = "[R405] '{path}' would be written over a source, or over what another source becomes. Give a folder for several sources, and other names."


class Warnings:
    """Texts of the warnings: what goes on, but perhaps not as was meant."""

    W001 = "[W001] No exemplar is shown: '{name}' has no exemplar bank. Fill it with nlp.initialize ([initialize.components.{name}] exemplars = a corpus), or set k = 0 in its retriever."
    W002 = "[W002] The base model '{base}' answers without an adapter. Train one with `python -m spacy ramie train CONFIG` and name it in the config of the engine or in nlp.initialize."
    W003 = "[W003] The adapter '{adapter}' was trained on other questions than those of: {tasks}. Its labels or their wording differ from this schema's; what it answers means little."
    W004 = "[W004] doc.ents has entities, but none with a label of the schema '{schema}' ({labels}): nothing is asked about them. Give them these labels, or '{name}' a schema with theirs."
    W005 = "[W005] This processor does not multiply in bfloat16 itself, and imitating it takes many times as long: {instead}."
# fmt: on
