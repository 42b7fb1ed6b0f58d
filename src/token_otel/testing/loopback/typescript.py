"""TypeScript: how OpenAI writes tool schemas into the prompt.

Source: the rendering found by https://github.com/hmarr/openai-chat-tokens and used by litellm.
"""

from typing import Any, TypeAlias

from token_otel.testing.loopback.answers import compact

Schema: TypeAlias = dict[str, Any]


def namespace(functions: list[Schema]) -> str:
    """Render functions `{name, description, parameters}` as one namespace."""
    lines = ["namespace functions {", ""]
    for function in functions:
        if description := function.get("description"):
            lines.append(f"// {description}")
        parameters: Schema = function.get("parameters") or {}
        if parameters.get("properties"):
            lines += [f"type {function['name']} = (_: {{", *_properties(parameters, indent=""), "}) => any;", ""]
        else:
            lines += [f"type {function['name']} = () => any;", ""]
    return "\n".join([*lines, "} // namespace functions"])


def _properties(schema: Schema, *, indent: str) -> list[str]:
    required: list[str] = schema.get("required") or []
    lines: list[str] = []
    properties: dict[str, Schema] = schema.get("properties") or {}
    for name, value in properties.items():
        if description := value.get("description"):
            lines.append(f"{indent}// {description}")
        lines.append(f"{indent}{name}{'' if name in required else '?'}: {_type(value, indent=indent)},")
    return lines


def _type(schema: Schema, *, indent: str) -> str:
    if "enum" in schema:
        return " | ".join(compact(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(option, indent=indent) for option in schema["anyOf"])
    match schema.get("type"):
        case "array":
            return f"{_type(schema.get('items') or {}, indent=indent)}[]"
        case "object" if schema.get("properties"):
            return "\n".join(["{", *_properties(schema, indent=indent + "  "), f"{indent}}}"])
        case "integer" | "number":
            return "number"
        case "string" | "boolean" | "null" | "object" as plain:
            return plain
        case _:
            return "any"
