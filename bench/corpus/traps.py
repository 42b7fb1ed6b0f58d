"""Drafts of prompts that nobody's text went into, though it may look so: whatever is claimed is wrong."""

from __future__ import annotations

import re
from functools import lru_cache

from bench.corpus import lexicon, templates
from bench.corpus.case import Draft
from bench.corpus.desk import Desk
from bench.corpus.pen import Pen, Topic
from bench.corpus.phrases import FOOTERS, INSTRUCTIONS, STOCK
from bench.corpus.prose import sentence
from bench.corpus.records import COLUMNS

_WORD = re.compile(r"[A-Za-z']+")
_PAIR = re.compile(r"\b([A-Z]\w+(?: [A-Z]\w+)?) and ([A-Z]\w+(?: [A-Z]\w+)?)")
_OPENING = re.compile(
    "|".join(re.escape(word) for word in lexicon.CONNECTIVES if " " in word),
    re.IGNORECASE,
)


def short_outputs(desk: Desk, kind: str, count: int) -> Draft:
    """Numbers, words, names, dates and addresses that were produced, and that a prompt has by its own right."""
    draft, pen = Draft(), desk.pen()
    made = [
        *("42", "yes", "OK", "approved", "True", "null", "none found", '{"ok": true}', "Done.", "0.75"),
        *(pen.date(), pen.time(), pen.person(), pen.place(), pen.noun(), f"{pen.noun()} {pen.noun()}", pen.hex(8)),
        *(f"https://{pen.thing()}.example/{pen.noun()}/{pen.number()}", f"{pen.noun()}_{pen.noun()}.py", f"error: {pen.noun()} not found"),
    ]
    for number, text in enumerate(made):
        draft.produce(f"short-{number}", text)
    said: list[str] = []
    while len(" ".join(said).split()) < count:
        one = sentence(pen)
        if desk.rng.random() < 0.5:
            one = f"{one} It is {desk.rng.choice(made)}, {pen.adverb()}."
        said.append(one)
    return draft.say(" ".join(said))


def boilerplate(desk: Desk, kind: str, count: int) -> Draft:
    """Instructions to a model that no producer ever wrote, and a header of CSV that others have too."""
    draft, pen = Draft(), desk.pen()
    draft.produce("worker", desk.write(kind, count))
    said = [templates.intro(pen), *desk.rng.sample(INSTRUCTIONS, min(len(INSTRUCTIONS), max(3, count // 12)))]
    return draft.say("\n".join([*said, COLUMNS, templates.fill(pen, "The user is {person} in {place}, today is {noun} {number}.")]))


def shared_formulas(desk: Desk, kind: str, count: int) -> Draft:
    """Footers and greetings that five producers have, each at another place, and the prompt too."""
    draft, pen = Draft(), desk.pen()
    formulas = desk.rng.sample(FOOTERS, 3)
    for number in range(5):
        draft.produce(f"form-{number}", f"{formulas[0]}\n\n{desk.write(kind, 60)}\n\n{formulas[1]}\n\n{formulas[2]}")
    draft.say(f"{formulas[0]}\n\n{desk.write('prose', count)}\n\n{formulas[1]}\n\n{sentence(pen)}\n\n{formulas[2]}")
    return draft


def paraphrase(desk: Desk, kind: str, count: int) -> Draft:
    """A text in other words: synonyms, clauses the other way round, sentences in another order."""
    draft = Draft()
    text = draft.produce("original", desk.write("prose", count))
    return draft.say(paraphrased(text, desk.pen()))


def paraphrased(text: str, pen: Pen) -> str:
    """Return a prose text in other words."""
    found = [one.strip() for one in re.split(r"(?<=[.!?])\s+", text) if one.strip()]
    pen.rng.shuffle(found)
    return " ".join(_in_other_words(one) for one in found)


def _in_other_words(text: str) -> str:
    text = text.rstrip(".!?").replace('"', "")
    parts = re.split(r", | - |; ", text)
    text = ", ".join(reversed(parts))
    text = _PAIR.sub(r"\2 and \1", text)
    text = _OPENING.sub(lambda match: lexicon.CONNECTIVES[match[0].lower()], text)
    table = _synonyms()

    def other(word: re.Match[str]) -> str:
        found = word[0].lower()
        return table.get(found) or lexicon.CONNECTIVES.get(found) or word[0]

    text = _WORD.sub(other, text)
    return f"{text[0].upper()}{text[1:]}."


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, str]:
    return lexicon.synonyms()


def same_topic(desk: Desk, kind: str, count: int) -> Draft:
    """Another author's text of the same kind, with the same vocabulary, names, service and fields."""
    draft = Draft()
    topic = Topic(desk.rng)
    draft.produce("author", desk.write(kind, count, topic))
    return draft.say(desk.write(kind, count, topic))


def stock_phrases(desk: Desk, kind: str, count: int) -> Draft:
    """Formulas of 7 to 15 words that everybody uses, and that one producer used too, in every fifth sentence or so."""
    draft, pen = Draft(), desk.pen()
    chosen = desk.rng.sample(STOCK, 12)
    for number in range(3):
        mine = chosen[4 * number : 4 * number + 4]
        draft.produce(f"letter-{number}", " ".join(part for phrase in mine for part in (sentence(pen), sentence(pen), phrase)))
    said: list[str] = []
    while len(" ".join(said).split()) < count:
        said.append(sentence(pen))
        if desk.rng.random() < 0.2:
            said.append(desk.rng.choice(chosen))
    return draft.say(" ".join(said))
