"""Folders: as bytes, for what can only be written to disk, and of models."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from . import default


def folder_bytes(write: Callable[[Path], None]) -> dict[str, bytes]:
    """Collect the files that a function writes into a folder.

    write (Callable): Writes into the folder that it is given.
    RETURNS (dict[str, bytes]): Relative path, with slashes, to content.
    """
    with TemporaryDirectory() as folder:
        root = Path(folder)
        write(root)
        return {
            file.relative_to(root).as_posix(): file.read_bytes()
            for file in sorted(root.rglob("*"))
            if file.is_file()
        }


def restore_folder(files: dict[str, bytes], root: Path) -> None:
    """Write collected files back.

    files (dict[str, bytes]): What `folder_bytes` gave.
    root (Path): Where to; no file may lead out of it.
    """
    for name, content in files.items():
        file = (root / name).resolve()
        if not file.is_relative_to(root.resolve()):
            raise ValueError(f"the path {name!r} leads out of the folder")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def folder_size(folder: Path) -> int:
    """Give the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def model_folder(model: str) -> Path | None:
    """Find a model on this machine.

    model (str): Folder, name of the base that comes along, or name of a model in
        the Hugging Face cache.
    RETURNS (Path | None): Its folder; None: it is not here.
    """
    if Path(model).is_dir():
        return Path(model)
    if model == default.NAME:
        return default.BASE
    from huggingface_hub import try_to_load_from_cache

    for name in ("config.json", "modules.json"):
        try:
            found = try_to_load_from_cache(model, name)
        except ValueError:
            return None  # Not even the form of a name.
        if isinstance(found, str):
            return Path(found).parent
    return None
