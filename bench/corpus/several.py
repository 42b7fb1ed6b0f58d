"""Drafts of prompts that several texts went into, or only parts of one."""

from __future__ import annotations

import re

from bench.corpus import rewriting, templates
from bench.corpus.case import Draft
from bench.corpus.desk import Desk
from bench.corpus.embedding import EMBEDDINGS
from bench.corpus.prose import clause, sentence
from bench.corpus.texts import KINDS, words

_SENTENCE = re.compile(r"[^.!?\u3002\n]+(?:[.!?\u3002]+|\n|$)")
# Left out of a conversation: they have rows, and lower targets, of their own.
_LOSSY = {"lightly edited", "filtered lines", "JSON as labels", "repr of JSON"}


def joined(desk: Desk, kind: str, count: int) -> Draft:
    """Three texts, or four, one after the other."""
    draft, pen = Draft(), desk.pen()
    draft.say(templates.intro(pen))
    for number in range(desk.rng.choice((3, 4))):
        if number:
            draft.say(templates.separator(pen))
        one = kind if number == 0 else desk.rng.choice(KINDS)
        draft.say(draft.produce(f"joined-{number}", desk.write(one, count)), f"joined-{number}")
    return draft.say(templates.outro(pen))


def conversation(desk: Desk, kind: str, count: int) -> Draft:
    """Five to eight producers, each in a form of its own, in any order."""
    draft, pen = Draft(), desk.pen()
    texts: list[tuple[str, str, str]] = []
    for number in range(desk.rng.randrange(5, 9)):
        one = kind if number == 0 else desk.rng.choice(KINDS)
        size = max(20, round(count * desk.rng.uniform(0.2, 2.5) ** 2))
        texts.append((f"agent-{number}", one, draft.produce(f"agent-{number}", desk.write(one, size))))
    desk.rng.shuffle(texts)
    for producer, one, text in texts:
        able = [embed for name, (kinds, embed) in EMBEDDINGS.items() if one in kinds and name not in _LOSSY]
        draft.extend(desk.rng.choice(able)(text, pen), producer).say(templates.separator(pen))
    return draft


def duplicate_in_context(desk: Desk, kind: str, count: int) -> Draft:
    """Two texts share a long passage; the prompt has the whole of one, and the surroundings tell which."""
    draft, pen = Draft(), desk.pen()
    shared = desk.write(kind, count)
    around = max(15, count // 3)
    texts = [
        draft.produce(producer, "\n\n".join((desk.write(kind, around), shared, desk.write(kind, around))))
        for producer in ("older", "newer")
    ]
    which = desk.rng.randrange(2)
    return draft.say(templates.intro(pen)).say(texts[which], ("older", "newer")[which]).say(templates.outro(pen))


def duplicate_alone(desk: Desk, kind: str, count: int) -> Draft:
    """Two or three produced the same text: the most recent one is right, since it relayed it."""
    draft, pen = Draft(), desk.pen()
    text = desk.write(kind, count)
    for number in range(desk.rng.choice((2, 2, 3))):
        draft.produce(f"relay-{number}", text)
        draft.produce(f"between-{number}", desk.write(kind, 60))
    right = draft.sources[-2][0]
    rewrite = desk.rng.choice((rewriting.indented, rewriting.rewrapped, rewriting.in_json, None))
    return draft.say(templates.intro(pen)).say(rewrite(text, desk.rng) if rewrite else text, right).say(templates.outro(pen))


def versions(desk: Desk, kind: str, count: int) -> Draft:
    """A text and its revision by somebody else; the prompt has either one, whole."""
    draft, pen = Draft(), desk.pen()
    first = draft.produce("first", desk.write(kind, count))
    second = first
    while second == first:
        second = rewriting.edited(first, desk.rng, desk.rng.uniform(0.03, 0.1))
    draft.produce("second", second)
    which = desk.rng.randrange(2)
    return draft.say(templates.intro(pen)).say((first, second)[which], ("first", "second")[which]).say(templates.outro(pen))


def few_sentences(desk: Desk, kind: str, count: int) -> Draft:
    """Two to four sentences of eight words or more, or lines, quoted in the reader's own prose."""
    draft, pen = Draft(), desk.pen()
    text = draft.produce("quoted", desk.write(kind, count))
    found = [one[0].strip() for one in _SENTENCE.finditer(text)]
    found = [one for one in found if 8 <= words(one) <= 60] or [desk.cut(kind, text, 12)]
    chosen = sorted(desk.rng.sample(range(len(found)), min(len(found), desk.rng.randrange(2, 5))))
    draft.say(f"{sentence(pen)} ")
    for number in chosen:
        opened, closed = desk.rng.choice((('"', '" '), ("\u201c", "\u201d "), ("", " "), ("\n> ", "\n"), ("- ", "\n")))
        draft.say(opened).say(found[number], "quoted").say(f"{closed}{sentence(pen)} ")
    return draft.say(sentence(pen))


def interleaved(desk: Desk, kind: str, count: int) -> Draft:
    """Quotes of 7 to 20 words in a row, from anywhere in two texts, by turns, with a few words between."""
    draft, pen = Draft(), desk.pen()
    texts = {producer: draft.produce(producer, desk.write(kind, count)) for producer in ("one", "other")}
    for number in range(desk.rng.randrange(2, 4) if count < 100 else desk.rng.randrange(4, 9)):
        producer = ("one", "other")[number % 2]
        draft.say(f"{clause(pen)}: " if desk.rng.random() < 0.5 else f"{pen.adverb()} {pen.past()}, ")
        draft.say(desk.cut(kind, texts[producer], desk.rng.randrange(7, 21)), producer).say("; ")
    return draft.say(clause(pen))
