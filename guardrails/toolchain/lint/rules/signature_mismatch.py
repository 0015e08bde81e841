"""The manifest declares tools as the program's functions take them.

What it does
------------
With `--tools MODULE`, holds each declared tool against the decorated functions of its name. It
reports an argument that the function doesn't take, a parameter that the manifest lacks, a type that
the function can't be given, a value of an enum that it doesn't know, and a tool that no function is
named as; and, as a note, an argument that the function requires and the manifest does not. Without
`--tools` it reports nothing.

Why it is bad
-------------
Arguments are bound by the function's signature, and what a manifest doesn't list is refused. When a
parameter is renamed, every call of the tool is refused from then on, and conditions about the old
name no longer mean anything. Here that breaks in CI, not in production.

Example
-------
    # file: shop.py
    import guardrails

    @guardrails.tool("payments.pay")
    def pay(payee: str, amount: float) -> None: ...
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.pay:
        traits: [spend]
        arguments:
          payee: {type: string}
          total: {type: number}
        required: [payee, total]

Use instead
-----------
    # file: shop.py
    import guardrails

    @guardrails.tool("payments.pay")
    def pay(payee: str, amount: float) -> None: ...
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.pay:
        traits: [spend]
        arguments:
          payee: {type: string}
          amount: {type: number}
        required: [payee, amount]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.toolchain.lint.bearing import listed
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.json_types import common, told, types_of
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.tools.found import FoundTool, Parameter


@lint_rule("signature-mismatch", Severity.ERROR)
def check(project: Project) -> Iterator[Finding]:
    """What the manifest and the functions say otherwise."""
    if project.functions is None:
        return
    for tool in project.bundle.tools.values():
        functions = [each for each in project.functions if each.name == tool.name]
        if not functions:
            yield _without_function(project, tool)
        for function in functions if tool.arguments is not None else ():
            yield from _check_arguments(project, tool, function)
            yield from _check_parameters(project, tool, function)
            yield from _check_required(project, tool, function)


def _without_function(project: Project, tool: Tool) -> Finding:
    names = {each.name for each in project.functions or ()} - project.bundle.tools.keys()
    meant = did_you_mean(tool.name, sorted(names)).removeprefix("; ")
    return project.finding(
        project.region(tool),
        f"no decorated function is named {quote(tool.name)}",
        why="what policies say of it concerns no function of this program",
        mend=meant or "correct the name, or give the module that has it with `--tools` too",
        severity=Severity.WARNING if meant else Severity.NOTE,
    )


def _check_arguments(project: Project, tool: Tool, function: FoundTool) -> Iterator[Finding]:
    """The declared arguments that the function does not take."""
    assert tool.arguments is not None
    parameters = {each.name: each for each in function.parameters}
    for name, schema in tool.arguments.properties.items():
        if name in parameters:
            yield from _compare(project, tool, parameters[name], schema)
        elif not function.open:
            free = [each for each in parameters if each not in tool.arguments.properties]
            yield project.finding(
                project.region(tool, "arguments", name, of_key=True),
                f"{quote(tool.name)} declares {quote(name)}, which its function doesn't take",
                why="the function can't be called with it",
                mend=did_you_mean(name, free).removeprefix("; ") or _choose(free),
            )


def _choose(free: list[str]) -> str:
    listed = ", ".join(map(quote, free))
    return f"did you mean one of {listed}?" if free else "remove it, or add the parameter"


def _check_parameters(project: Project, tool: Tool, function: FoundTool) -> Iterator[Finding]:
    """The parameters that the manifest doesn't list."""
    assert tool.arguments is not None
    for parameter in function.parameters:
        if parameter.name not in tool.arguments.properties:
            yield project.finding(
                project.region(tool, "arguments", of_key=True),
                f"{quote(tool.name)} lacks {quote(parameter.name)}, which its function takes",
                why="a call that gives an argument that is not listed is refused",
                mend=f"add {quote(parameter.name)} under `arguments:`",
            )


def _check_required(project: Project, tool: Tool, function: FoundTool) -> Iterator[Finding]:
    """The arguments that every call gives, and that the manifest lets be left out."""
    assert tool.arguments is not None
    missing = [
        each.name
        for each in function.parameters
        if each.required
        and each.name in tool.arguments.properties
        and each.name not in tool.arguments.required
    ]
    if missing:
        yield project.finding(
            project.region(tool, "arguments", of_key=True),
            f"{quote(tool.name)} lets {listed(missing)} be left out, which its function requires",
            why="conditions must ask whether it is there, though every call gives it",
            mend=f"list {listed(missing)} under `required`",
            severity=Severity.NOTE,
        )


def _compare(project: Project, tool: Tool, parameter: Parameter, schema: Any) -> Iterator[Finding]:
    """What is declared of an argument against the annotation of its parameter."""
    region = project.region(tool, "arguments", parameter.name)
    declared, taken = types_of(schema), types_of(parameter.schema)
    name = quote(parameter.name)
    if not common(declared, taken):
        yield project.finding(
            region,
            f"{name} of {quote(tool.name)} is declared as {told(declared)}, "
            f"and its function takes {told(taken)}",
            why="every call that the function can take is refused",
            mend=f"declare it as {told(taken)}, or change the annotation",
        )
        return
    known: list[Any] = parameter.schema.get("enum", [])
    listed = schema.get("enum", ()) if type(schema) is dict and known else ()
    for value in listed:
        if value not in known:
            near = did_you_mean(str(value), map(str, known)).removeprefix("; ")
            yield project.finding(
                region,
                f"{name} of {quote(tool.name)} may be {quote(str(value))}, "
                "which its function doesn't know",
                why="what policies say of that value concerns no call",
                mend=near or f"take one of {', '.join(quote(str(each)) for each in known)}",
            )
