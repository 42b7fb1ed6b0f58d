"""The forms that words take on their way into another prompt: whatever their spelling, they stay with their producer."""

from __future__ import annotations

import html
import json
import textwrap
import unicodedata
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.flow.stories import Story, assistant, check, flow, user
from tests.words import DRAFT, NOTES, PLAN, QUESTION, TOLERANCE, sentences

from token_otel.events import Part

ESCAPED = 0.1  # tolerance where one alphabet has many more tokens a letter than another in the same message
RENDERED = 0.15  # tolerance where numbers and keys are set anew: nine tenths of small records are to be known
LOCKS: list[dict[str, Any]] = [
    {
        "lock": "Brenn",
        "state": "closed from the tenth day of frost until the ice of the upper pool has gone for good",
        "depth": 9,
        "tolls": None,
    },
    {"lock": "Oster", "state": "open for vessels under ninety tons, who must ring twice and wait", "depth": 11, "tolls": 4},
    {"lock": "Marlow", "state": "under repair since the flood carried away the lower gate and its winch", "depth": 7, "tolls": None},
    {"lock": "Tamm", "state": "opened by the miller's daughter at any hour if she is asked politely", "depth": 8, "tolls": 2},
]
CODE = '''def passable(reach, barge):
    """Whether a barge can pass a reach of the river at low water."""
    clearance = reach.depth_at_low_water - barge.draught_when_loaded
    if reach.has_gravel and clearance < GRAVEL_MARGIN:
        return False
    narrowest = min(section.width for section in reach.sections)
    return clearance > 0 and narrowest >= barge.beam + STEERING_ROOM'''
CHINESE = (
    "北面的水闸在第一次霜冻之后十天关闭,南面的水闸整个冬天都为小船开放。"
    "铁路桥下面有两处浅滩,自从大洪水以来没有人清理过,装满货物的驳船必须靠左岸行驶。"
)
RUSSIAN = "Верхний шлюз закрывают через десять дней после первых морозов, нижний же открыт для малых судов всю зиму."
EMOJI = "The upper gate 🚧 closes ten days after the first frost ❄️, and the lower one ✅ stays open for the small boats 🚤🚤 of both banks."
COMBINING = unicodedata.normalize(
    "NFD", "Là où la rivière gèle, l'éclusier ferme à l'heure où le père Noël s'éveille, même après la fête de l'été."
)


def told(text: str) -> str:
    """A user's message around a text."""
    return f"A colleague has sent me this, and I should like to know whether it is enough for a page:\n\n{text}\n\nWhat is missing in it?"


def middle_cut(text: str) -> str:
    """A text without its middle."""
    return f"{text[:120]} [... {len(text) - 240} characters left out ...] {text[-120:]}"


FORMS: dict[str, tuple[str, Callable[[str], str], Callable[[str], list[str]]]] = {
    # What is said, how it is written into the prompt, and how the producer's words stand there.
    "f-string": (PLAN, str, lambda text: [text]),
    "fence": (PLAN, lambda text: f"```markdown\n{text}\n```", lambda text: [text]),
    "xml": (NOTES, lambda text: f"<document index='1'>{text}</document>", lambda text: [text]),
    "html": (DRAFT + " <b>Ask 'Tamm & Sons'</b>.", html.escape, lambda text: [html.escape(text)]),
    "json": (PLAN, json.dumps, lambda text: [json.dumps(text)[1:-1]]),
    "json, ascii": (RUSSIAN, json.dumps, lambda text: [json.dumps(text)[1:-1]]),
    "json, twice": (PLAN, lambda text: json.dumps(json.dumps({"plan": text})), lambda text: [json.dumps(json.dumps(text)[1:-1])[1:-1]]),
    "json, indented": (PLAN, lambda text: json.dumps({"by": "a", "text": text}, indent=4), lambda text: [json.dumps(text)[1:-1]]),
    "repr": (PLAN, lambda text: repr({"text": text, "final": True}), lambda text: [repr(text)[1:-1]]),
    "upper case": (NOTES, str.upper, lambda text: [text.upper()]),
    "quoted": (PLAN, lambda text: textwrap.indent(text, "> "), str.splitlines),
    "bulleted": (NOTES, lambda text: "\n".join("- " + line for line in sentences(text)), sentences),
    "indented": (CODE, lambda text: textwrap.indent(text, " " * 8), lambda text: [line.strip() for line in text.splitlines()]),
    "re-wrapped": (NOTES, lambda text: textwrap.fill(text, 40), lambda text: [textwrap.fill(text, 40)]),
    "head": (PLAN, lambda text: text[:200] + "...", lambda text: [text[:200]]),
    "tail": (DRAFT, lambda text: "..." + text[-150:], lambda text: [text[-150:]]),
    "middle": (NOTES, middle_cut, lambda text: [text[:120], text[-120:]]),
    "one sentence": (NOTES, lambda text: f'He said "{sentences(text)[2]}" twice.', lambda text: [sentences(text)[2]]),
    "typography": (DRAFT, lambda text: "“" + text.replace(", ", " — ") + "”", lambda text: [text.replace(", ", " — ")]),
    "chinese": (CHINESE, str, lambda text: [text]),
    "emoji": (EMOJI, str, lambda text: [text]),
    "combining": (COMBINING, lambda text: f"<<{text}>>", lambda text: [text]),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_words_are_their_producers(form: str):
    """In every form that leaves the words as they were, framed by words of the user."""
    says, write, stands = FORMS[form]
    story = Story()
    story.says("researcher", says)
    prompt = [user(told(write(says)))]

    share = ESCAPED if form == "json, ascii" else TOLERANCE
    check(story.reads("writer", prompt), prompt, {"agent:researcher": stands(says)}, share=share)


def test_one_text_in_several_parts_is_one_agents():
    """A plan of four lines, each a content block of its own between blocks of the user's."""
    story = Story()
    story.says("planner", PLAN)
    blocks = [user(line, opens=False) for line in PLAN.splitlines()]
    prompt = [user("The plan, step by step, as it was agreed upon yesterday evening:"), *blocks, user("Now go through it.", opens=False)]

    check(story.reads("writer", prompt), prompt, {"agent:planner": PLAN.splitlines()})


def test_several_parts_in_one_text_are_one_agents():
    """An answer of several content blocks is put into a template as one text."""
    story = Story()
    first, second, third, fourth = sentences(NOTES)
    blocks = [assistant(f"{first} {second}"), Part(kind="assistant", text=f"{third} {fourth}", opens=False)]
    story.says("researcher", blocks)
    prompt = [user(told(NOTES))]

    check(story.reads("writer", prompt), prompt, {"agent:researcher": [NOTES]})


def test_a_call_whose_keys_were_sorted_is_still_the_tools():
    """JSON means the same in any order of its keys; here the tool's answer was parsed, and dumped with its keys in order."""
    story = Story()
    story.runs("list_locks", json.dumps(LOCKS))
    dumped = json.dumps([{key: lock[key] for key in sorted(lock)} for lock in LOCKS])
    prompt = [user(told(dumped))]

    check(story.reads("pilot", prompt), prompt, {"tool:list_locks": [dumped]})


def test_json_pretty_printed_is_still_the_tools():
    """The same records, a line for each pair."""
    story = Story()
    story.runs("list_locks", json.dumps(LOCKS))
    pretty = json.dumps(LOCKS, indent=2)
    prompt = [user(told(pretty))]

    check(story.reads("pilot", prompt), prompt, {"tool:list_locks": [pretty]})


def test_json_as_python_writes_it_is_still_the_tools():
    """`None` for `null`, and other quotes."""
    story = Story()
    story.runs("list_locks", json.dumps(LOCKS))
    written = str(LOCKS)
    prompt = [user(told(written))]

    check(story.reads("pilot", prompt), prompt, {"tool:list_locks": [written]}, share=RENDERED)


@pytest.mark.parametrize("form", ["table", "labels"])
def test_json_rendered_for_a_reader_is_still_the_tools(form: str):
    """As labelled lines, values and labels; of a table, which has other labels, the rows."""
    story = Story()
    story.runs("list_locks", json.dumps(LOCKS))
    if form == "table":
        rows = ["| " + " | ".join(str(value) for value in lock.values()) + " |" for lock in LOCKS]
        rendered = "\n".join(["| place | when | feet | pence |", "|---|---|---|---|", *rows])
        known = ["\n".join(rows)]
    else:
        rendered = "\n\n".join("\n".join(f"{key.title()}: {value}" for key, value in lock.items()) for lock in LOCKS)
        known = [rendered]
    prompt = [user(told(rendered))]

    check(story.reads("pilot", prompt), prompt, {"tool:list_locks": known}, share=RENDERED)


@pytest.mark.parametrize("numbered", ["{number:>6}\t{line}", "{number}: {line}", "L{number}: {line}", "{number:>3} | {line}"])
def test_a_file_with_its_lines_numbered_is_still_the_tools(numbered: str):
    """A tool read a file, and a prompt shows it with numbers: the numbers may be anyone's, the lines are the tool's."""
    story = Story()
    story.runs("read_file", CODE)
    shown = "\n".join(numbered.format(number=number, line=line) for number, line in enumerate(CODE.splitlines(), 1))
    prompt = [user(told(shown))]

    # What stands between its lines counts as part of a text; of the numbers, a fifth of the tokens at most, that is left open.
    between = shown[shown.index(CODE.splitlines()[0]) :]
    check(story.reads("pilot", prompt), prompt, {"tool:read_file": [between]}, share=0.2)


def test_two_forms_one_upon_the_other():
    """A truncated text as a line of JSON, quoted in a mail."""
    story = Story()
    story.says("researcher", NOTES)
    line = json.dumps({"from": "researcher", "body": NOTES[:220] + "..."})
    prompt = [user(told("> " + line))]

    check(story.reads("writer", prompt), prompt, {"agent:researcher": [NOTES[:220]]})


def test_a_passage_from_the_middle_of_a_long_text():
    """A tool's answer of 20,000 words, of which a prompt shows sixty."""
    vocabulary = sorted({word.strip(".,").lower() for word in f"{PLAN} {NOTES} {DRAFT}".split()})
    dice = Random(7)
    words = [dice.choice(vocabulary) for _ in range(20_000)]
    long, passage = " ".join(words), " ".join(words[11_000:11_060])
    story = Story()
    story.runs("read_archive", long)
    prompt = [user(told(passage))]

    check(story.reads("pilot", prompt), prompt, {"tool:read_archive": [passage]})


def test_five_producers_in_five_forms():
    """A prompt as frameworks make them: each text in another dress, one after the other."""
    story = Story()
    for agent, words in (("planner", PLAN), ("researcher", NOTES), ("writer", DRAFT), ("clerk", RUSSIAN)):
        story.says(agent, words)
    story.runs("read_file", CODE)
    shown = [
        json.dumps(PLAN),
        textwrap.indent("\n".join(sentences(NOTES)), "> "),
        DRAFT[:180] + "...",
        RUSSIAN.upper(),
        f"```\n{CODE}\n```",
    ]
    headed = "\n\n".join(f"## Part {number} of five, as it was handed in\n{text}" for number, text in enumerate(shown, 1))
    prompt = [user(f"{headed}\n\n{QUESTION}")]
    owners = {
        "agent:planner": [json.dumps(PLAN)[1:-1]],
        "agent:researcher": sentences(NOTES),
        "agent:writer": [DRAFT[:180]],
        "agent:clerk": [RUSSIAN.upper()],
        "tool:read_file": [CODE],
    }
    span = story.reads("editor", prompt)

    check(span, prompt, owners, share=ESCAPED / 2)
    assert set(flow(span)) == {"user", *owners}
