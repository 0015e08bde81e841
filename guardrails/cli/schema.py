"""`guardrails schema`: the structure of policy documents, for editors."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy documents, for editors.

    \b
    Example:
      guardrails schema > policies.schema.json
    Then, as the first line of a document, for editors with a YAML language server:
      # yaml-language-server: $schema=../policies.schema.json
    """
    import json

    from guardrails.language.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
