"""What tells one base model from another."""

import hashlib
from pathlib import Path

# Config and tokenizer in full; of each weight file the header, which names every
# tensor and its shape, the size, and the first megabyte of numbers.
_READ_IN_FULL = ("config.json", "tokenizer.json")
_SAMPLE = 2**20


def fingerprint(folder: Path) -> str:
    """Give a short hash that changes with a model's shape, tokenizer or weights.

    folder (Path): A folder as `save_pretrained` leaves it.
    RETURNS (str): Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.name in _READ_IN_FULL:
            digest.update(file.read_bytes())
        elif file.suffix == ".safetensors":
            digest.update(str(file.stat().st_size).encode())
            with file.open("rb") as stream:
                header = stream.read(8)
                digest.update(stream.read(int.from_bytes(header, "little")))
                digest.update(stream.read(_SAMPLE))
    return digest.hexdigest()[:16]
