"""The names: each once, ours apart from the conventions', and roll-ups never under gen_ai.usage."""

from collections import Counter

from token_otel.otel import semconv as sc

# Two meanings on two kinds of things: a link's tokens and a span's array, told apart by where they stand.
SHARED = {"token_otel.flow.tokens"}


def names() -> list[str]:
    found: list[str] = []
    for name, value in vars(sc).items():
        if not name.startswith("_") and name.isupper():
            found += [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else []
    return [name for name in found if "." in name]


def test_no_name_is_spelt_twice():
    """But the flow's tokens, of spans, links and metrics, and a request parameter that has a constant of its own."""
    twice = {name for name, count in Counter(names()).items() if count > 1}

    assert twice <= SHARED | {sc.REQUEST_STREAM}


def test_rollups_are_never_under_gen_ai_usage():
    """Backends would count every token twice."""
    for scope in (sc.OWN, sc.SUBTREE):
        for what in sc.ROLLUPS:
            assert sc.rollup(scope, what) == f"token_otel.agent.{scope}.{what}"


def test_names_carry_their_unit():
    """Every amount of ours says what it counts."""
    amounts = [
        name
        for name in names()
        if name.startswith(("token_otel.cost.", "token_otel.input.", "token_otel.output.", "token_otel.estimated."))
    ]

    assert [name for name in amounts if not name.endswith(("_usd", "_tokens", ".status"))] == []


def test_names_are_lower_case_with_dots():
    """As the conventions want them; but for keys of backends."""
    ours = [name for name in names() if name.startswith(("token_otel.", "gen_ai."))]

    assert [name for name in ours if name != name.lower() or " " in name or ".." in name] == []


def test_the_roles_of_the_input():
    """These and no others: a report sums them."""
    assert list(sc.INPUT_BY_ROLE) == [
        "system",
        "tools",
        "user",
        "self",
        "agents",
        "tool_results",
        "documents",
        "media",
        "external",
        "unexplained",
    ]
