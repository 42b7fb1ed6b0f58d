"""What agents write around the texts of others: belongs to nobody."""

from __future__ import annotations

from bench.corpus.pen import Pen
from bench.corpus.prose import heading, sentence

INTROS = (
    "You are a careful reviewer. Read the material below and answer the question at the end.\n\n",
    "Here is what the previous step produced:\n\n",
    "Context:\n",
    "The user asked about {noun}. Use only the following information.\n\n",
    "Tool result for {noun}_{thing}:\n",
    "### {heading}\n\n",
    "Your colleague in {place} handed over this:\n",
    "Step {number} is done. Its output was:\n---\n",
    "Dear assistant, please have a look at this: ",
    "{sentence}\n\n",
)
OUTROS = (
    "\n\nAnswer in one paragraph.",
    "\n\nNow write the next section, and do not repeat yourself.",
    "\n---\nWhat would {person} say to this?",
    "\n\nReturn a list of at most {number} points.",
    "\n\nQuestion: how does the {noun} {verb} the {noun}?",
    " - please summarise it in {number} words.",
    "\n\n{sentence}",
    "\n",
    "",
)
SEPARATORS = ("\n\n", "\n\n---\n\n", "\n", "\n\n===== {noun} =====\n", "\n\n## {heading}\n", "\n\n[{number}] ", "\n\nFrom {person}:\n")
TAGS = ("document", "context", "tool_output", "search_result", "notes", "agent_answer")
CUTS = (
    "... [truncated]",
    "\n[... {number} characters omitted ...]",
    " [...]",
    "\n<output truncated>",
    "\u2026",
    "\n... ({number} more lines)",
)


def fill(pen: Pen, template: str) -> str:
    """Fill a template's holes."""
    holes = {
        "noun": pen.noun(),
        "verb": pen.verb(),
        "thing": pen.thing(),
        "person": pen.person(),
        "place": pen.place(),
        "number": str(pen.number(9_000)),
        "heading": heading(pen),
        "sentence": sentence(pen),
    }
    return template.format_map(holes)


def intro(pen: Pen) -> str:
    """What stands before."""
    return fill(pen, pen.pick(INTROS))


def outro(pen: Pen) -> str:
    """What stands after."""
    return fill(pen, pen.pick(OUTROS))


def separator(pen: Pen) -> str:
    """What stands between two texts."""
    return fill(pen, pen.pick(SEPARATORS))


def cut(pen: Pen) -> str:
    """What says that something was left out."""
    return fill(pen, pen.pick(CUTS))
