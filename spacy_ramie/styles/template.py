"""Prompt templates: one file a style, its blocks rendered one by one."""

from pathlib import Path

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = Path(__file__).parent / "templates"

# Templates come with the package, never from a config or a pipeline; the sandbox
# is for whoever changes that.
_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)


class Template:
    """The wording of one style.

    name (str): Name of the file in `templates/`, without its ending.
    """

    def __init__(self, name: str) -> None:
        source = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf8")
        self._name = name
        self._template = _environment.from_string(source)

    def __reduce__(self) -> tuple[type["Template"], tuple[str]]:
        # Compiled templates cannot be pickled.
        return Template, (self._name,)

    def __contains__(self, block: str) -> bool:
        return block in self._template.blocks

    def render(self, block: str, **values: object) -> str:
        """Render one block.

        block (str): Its name.
        **values: What its variables stand for.
        RETURNS (str): The text.
        """
        context = self._template.new_context(values)
        return "".join(self._template.blocks[block](context))
