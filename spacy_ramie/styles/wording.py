"""What both styles share: prompt parts and instructions from a template file."""

from ..errors import ConfigError, Errors
from ..schema import Schema
from .template import Template


class Wording:
    """The prompt side of a style.

    name (str): Name of the style and of its template file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._template = Template(name)

    def instruction(self, task: str, schema: Schema) -> str:
        """Give the instruction of a built-in task, with the schema's wording."""
        if task not in self._template:
            raise ConfigError(Errors.R008.format(style=self.name, task=task))
        return self._template.render(
            task,
            entities=list(schema.entities.values()),
            relations=list(schema.relations.values()),
            usage=list(schema.usage.values()),
            usage_name=schema.usage_name,
        )

    def instruction_part(self, instruction: str) -> str:
        """Give the first part of a prompt."""
        return self._template.render("instruction", instruction=instruction)

    def example_part(self, input: str, answer: str) -> str:
        """Give the part of a prompt that shows an exemplar."""
        return self._template.render("example", input=input, answer=answer)

    def input_part(self, input: str) -> str:
        """Give the last part of a prompt."""
        return self._template.render("input", input=input)
