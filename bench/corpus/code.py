"""Python and TypeScript, one definition at a time."""

from __future__ import annotations

from collections.abc import Callable

from bench.corpus.pen import Pen
from bench.corpus.prose import clause, phrase, sentence

PYTHON_HEAD = (
    "from __future__ import annotations\n\nimport logging\nfrom dataclasses import dataclass\n\nlogger = logging.getLogger(__name__)"
)
TYPESCRIPT_HEAD = 'import { useEffect, useState } from "react";\nimport type { FC } from "react";'


def snake(pen: Pen) -> str:
    """A name of a variable or function."""
    forms = (f"{pen.noun()}_{pen.noun()}", pen.noun(), f"{pen.adjective()}_{pen.noun()}", f"{pen.thing()}_{pen.nouns()}", pen.nouns())
    return pen.pick(forms)


def camel(pen: Pen) -> str:
    """A name in camel case."""
    head, *rest = f"{snake(pen)}_{pen.noun()}".split("_")
    return head + "".join(map(str.capitalize, rest))


def _class(pen: Pen) -> str:
    return f"{pen.adjective().capitalize()}{pen.noun().capitalize()}"


def _value(pen: Pen) -> str:
    forms = (
        f"{pen.number()}",
        f'"{pen.noun()} {pen.thing()}"',
        f"{snake(pen)}.{snake(pen)}",
        "None",
        f"[{snake(pen)}]",
        f"len({snake(pen)})",
    )
    return pen.pick(forms)


_STATEMENTS: tuple[Callable[[Pen], str], ...] = (
    lambda pen: f"{snake(pen)} = {_value(pen)}",
    lambda pen: f"{snake(pen)} = self.{snake(pen)}({_value(pen)}, {pen.noun()}={_value(pen)})",
    lambda pen: f'if not {snake(pen)}:\n    raise ValueError(f"{clause(pen)}: {{{snake(pen)}}}")',
    lambda pen: f"for {pen.noun()} in {snake(pen)}.{pen.verb()}():\n    {snake(pen)}.append({pen.noun()}.{pen.noun()})",
    lambda pen: (
        f"{pen.nouns()} = {{{pen.noun()}: {pen.noun()}.{pen.noun()} for {pen.noun()} in {snake(pen)} if {pen.noun()}.{pen.adjective()}}}"
    ),
    lambda pen: f"with {pen.verb()}_{pen.noun()}({snake(pen)}) as {pen.noun()}:\n    {pen.noun()}.{pen.verb()}({_value(pen)})",
    lambda pen: f'logger.info("{pen.past()} %s {pen.nouns()} of %s", {snake(pen)}, {snake(pen)})',
    lambda pen: f"# {clause(pen).capitalize()}.\n{snake(pen)} += {pen.number(50)}",
    lambda pen: f"try:\n    {snake(pen)}.{pen.verb()}()\nexcept {_class(pen)}Error:\n    {snake(pen)} = {_value(pen)}",
    lambda pen: f"assert {snake(pen)} <= {pen.number()}, {snake(pen)}",
)


def indented(lines: list[str], by: str) -> str:
    """Put lines, some of them several, under something."""
    return "\n".join(by + line for text in lines for line in text.split("\n"))


def python(pen: Pen) -> str:
    """A function or a class."""
    if pen.chance(0.25):
        fields = [
            f"{snake(pen)}: {pen.pick(('int', 'str', 'float', 'bool', 'list[str]', 'str | None'))}" for _ in range(pen.pick(range(2, 6)))
        ]
        return f'@dataclass(frozen=True)\nclass {_class(pen)}:\n    """{sentence(pen)}"""\n\n{indented(fields, "    ")}'
    body = [pen.pick(_STATEMENTS)(pen) for _ in range(pen.pick(range(1, 7)))]
    doc = [f'"""{sentence(pen)}"""'] if pen.chance(0.6) else []
    arguments = ", ".join(f"{snake(pen)}: {pen.pick(('int', 'str', 'float', 'Path', 'bytes'))}" for _ in range(pen.pick(range(3))))
    end = [f"return {_value(pen)}"] if pen.chance(0.7) else []
    head = f"def {pen.verb()}_{snake(pen)}({arguments}) -> {pen.pick(('int', 'str', 'None', 'bool'))}:"
    return f"{head}\n{indented([*doc, *body, *end], '    ')}"


_LINES: tuple[Callable[[Pen], str], ...] = (
    lambda pen: f"const {camel(pen)} = await {camel(pen)}.{pen.verb()}({camel(pen)}, {pen.number()});",
    lambda pen: f"const [{camel(pen)}, set{_class(pen)}] = useState<{_class(pen)} | null>(null);",
    lambda pen: f"if ({camel(pen)}.{pen.nouns()}.length > {pen.number()}) {{\n  throw new Error(`{clause(pen)}: ${{{camel(pen)}}}`);\n}}",
    lambda pen: f'return {camel(pen)}.filter(({pen.noun()}) => {pen.noun()}.{camel(pen)} !== "{pen.adjective()}").map({camel(pen)});',
    lambda pen: (
        f"// {clause(pen).capitalize()}.\n{camel(pen)}.{pen.verb()}({{ {pen.noun()}: {camel(pen)}, {pen.noun()}: {pen.number()} }});"
    ),
    lambda pen: f"useEffect(() => {{\n  void {pen.verb()}{_class(pen)}({camel(pen)});\n}}, [{camel(pen)}, {pen.noun()}]);",
    lambda pen: f"for (const {pen.noun()} of {camel(pen)}) {{\n  {camel(pen)}.push({pen.noun()}.{camel(pen)} ?? {pen.number()});\n}}",
    lambda pen: f'console.warn("{pen.adjective()} {pen.noun()}", {camel(pen)}, "{phrase(pen)}");',
    lambda pen: f"let {camel(pen)}: {pen.pick(('string', 'number', 'boolean'))} = {camel(pen)} as unknown as {_class(pen)};",
)


def typescript(pen: Pen) -> str:
    """A function, an interface or a type."""
    match pen.pick(range(5)):
        case 0:
            kinds = ("string", "number", "boolean", "string[]", f"{_class(pen)}", "Date | undefined")
            fields = [f"{camel(pen)}{pen.pick(('', '', '?'))}: {pen.pick(kinds)};" for _ in range(pen.pick(range(2, 7)))]
            return f"/** {sentence(pen)} */\nexport interface {_class(pen)} {{\n{indented(fields, '  ')}\n}}"
        case 1:
            return (
                f"export type {_class(pen)} = "
                + " | ".join(f'"{pen.adjective()}-{pen.noun()}"' for _ in range(pen.pick(range(2, 5))))
                + ";"
            )
        case _:
            body = [pen.pick(_LINES)(pen) for _ in range(pen.pick(range(1, 6)))]
            head = f"export async function {pen.verb()}{_class(pen)}({camel(pen)}: {_class(pen)}, {pen.noun()} = {pen.number()})"
            return f"{head}: Promise<{_class(pen)}> {{\n{indented(body, '  ')}\n}}"
