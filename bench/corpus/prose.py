"""English prose and markdown."""

from __future__ import annotations

from collections.abc import Callable

from bench.corpus.pen import Pen

_PLACES = ("near", "behind", "under", "inside", "beyond", "across", "beside", "within", "around", "outside", "throughout", "above")
_TIMES = (
    *("In the morning", "After the war", "Last winter", "On Tuesday", "Two days later", "By the end of June", "Since 2019", "At first"),
    *(
        "A week before",
        "In the following year",
        "At midnight",
        "During the spring",
        "For years",
        "That same evening",
        "Once more",
        "Later on",
    ),
)
_JOINS = ("and", "but", "so", "while", "because", "although", "until", "after", "before", "since", "whereas", "as soon as")
_SAYING = ("said", "wrote", "insisted", "explained", "argued", "replied", "admitted", "warned", "remembered", "told us")
_DETERMINERS = ("the", "a", "every", "some", "this", "another", "no", "their", "our", "his", "her", "each", "any")


def phrase(pen: Pen) -> str:
    """A noun with what goes along."""
    noun = pen.noun()
    if pen.chance(0.45):
        noun = f"{pen.adjective()} {noun}"
    if pen.chance(0.12):
        return pen.person()
    if pen.chance(0.2):
        return f"{pen.number(90)} {pen.nouns()}"
    noun = f"{pen.pick(_DETERMINERS) if pen.chance(0.6) else 'the'} {noun}"
    if pen.chance(0.2):
        noun += f" of {phrase(pen)}" if pen.chance(0.6) else f" from {pen.place()}"
    return noun


def clause(pen: Pen) -> str:
    """Somebody did something."""
    adverb = f"{pen.adverb()} " if pen.chance(0.25) else ""
    said = f"{phrase(pen)} {adverb}{pen.past()} {phrase(pen)}"
    if pen.chance(0.35):
        said += f" {pen.pick(_PLACES)} {phrase(pen)}"
    return said


_SENTENCES: tuple[Callable[[Pen], str], ...] = (
    lambda pen: clause(pen),
    lambda pen: f"{clause(pen)}, {pen.pick(_JOINS)} {clause(pen)}",
    lambda pen: f"{clause(pen)} {pen.pick(_JOINS)} {clause(pen)}",
    lambda pen: f"{pen.pick(_TIMES)}, {clause(pen)}",
    lambda pen: f"{pen.person()} {pen.pick(_SAYING)} that {clause(pen)}",
    lambda pen: f"there were {pen.number()} {pen.nouns()} in {pen.place()}, {pen.number(90)} more than {pen.person()} had expected",
    lambda pen: f"it was {pen.adjective()} to {pen.verb()} {phrase(pen)} before {clause(pen)}",
    lambda pen: f"according to {pen.person()}, {clause(pen)}",
    lambda pen: f'"{clause(pen).capitalize()}," {pen.pick(_SAYING)} {pen.person()}',
    lambda pen: f"neither {phrase(pen)} nor {phrase(pen)} {pen.past()} {phrase(pen)}",
    lambda pen: f"once {clause(pen)}, {phrase(pen)} could {pen.verb()} {phrase(pen)} {pen.adverb()}",
    lambda pen: f"{phrase(pen)}, which {pen.past()} {phrase(pen)}, {pen.past()} {pen.adverb()} in {pen.place()}",
    lambda pen: f"what {pen.person()} {pen.past()} was {phrase(pen)}, not {phrase(pen)}",
    lambda pen: f"about {pen.number(95)} percent of the {pen.nouns()} {pen.past()} {pen.adverb()}; the rest {pen.past()} {phrase(pen)}",
    lambda pen: f"why {phrase(pen)} {pen.past()} {phrase(pen)} isn't known to {pen.person()}",
    lambda pen: f"{pen.person()} and {pen.person()} {pen.past()} {phrase(pen)}, so {clause(pen)}",
    lambda pen: f"if {phrase(pen)} {pen.past()} {phrase(pen)}, {phrase(pen)} would {pen.verb()} {phrase(pen)}",
    lambda pen: (
        f"on {pen.date()} {phrase(pen)} from {pen.place()} cost {pen.number(9000)} euros, {pen.adverb()} {pen.past()} by {pen.person()}"
    ),
    lambda pen: f"the {pen.adjective()}, {pen.adjective()} {pen.noun()} - {phrase(pen)} - {pen.past()} {phrase(pen)}",
    lambda pen: f"without {phrase(pen)} they couldn't {pen.verb()} {phrase(pen)} or {pen.verb()} {phrase(pen)}",
    lambda pen: f"most {pen.nouns()} {pen.past()} {phrase(pen)}, many {pen.nouns()} only {pen.past()}",
)


def sentence(pen: Pen) -> str:
    """One sentence, with its stop."""
    text = pen.pick(_SENTENCES)(pen)
    return text[0].upper() + text[1:] + ("?" if pen.chance(0.04) else "." if pen.chance(0.97) else "!")


def paragraph(pen: Pen, most: int = 6) -> str:
    """A few sentences."""
    return " ".join(sentence(pen) for _ in range(pen.pick(range(1, most + 1))))


def heading(pen: Pen) -> str:
    """A title of a section."""
    forms = (
        f"{pen.nouns()} and {pen.nouns()}",
        f"the {pen.adjective()} {pen.noun()}",
        f"how to {pen.verb()} a {pen.noun()}",
        f"{pen.noun()} {pen.thing()}",
        f"{pen.place()}: {pen.nouns()}",
    )
    return pen.pick(forms).capitalize()


def markdown(pen: Pen) -> str:
    """One block of a document."""
    match pen.pick(range(9)):
        case 0 | 1:
            return f"{'#' * pen.pick((1, 2, 2, 3))} {heading(pen)}\n\n{paragraph(pen, 3)}"
        case 2:
            return "\n".join(f"- {bullet(pen)}" for _ in range(pen.pick(range(2, 7))))
        case 3:
            return "\n".join(f"{number}. {bullet(pen)}" for number in range(1, pen.pick(range(3, 7))))
        case 4:
            rows = "\n".join(f"| {pen.noun()} | {pen.number()} | {pen.thing()} {pen.adjective()} |" for _ in range(pen.pick(range(2, 6))))
            return f"| {pen.noun()} | {pen.noun()} | notes |\n|---|---|---|\n{rows}"
        case 5:
            return f"> **{pen.pick(('Note', 'Warning', 'Tip'))}:** {sentence(pen)}"
        case 6:
            return f"```sh\n{pen.thing()} {pen.verb()} --{pen.noun()} {pen.number()} --{pen.noun()}={pen.thing()}\n```"
        case _:
            link = f"See [{heading(pen)}](https://docs.{pen.thing()}.example/{pen.noun()}/{pen.noun()}#{pen.noun()})."
            return f"{paragraph(pen, 4)} {link}" if pen.chance(0.4) else paragraph(pen, 4)


def bullet(pen: Pen) -> str:
    """What stands behind a bullet."""
    forms = (
        f"**{pen.noun()}**: {clause(pen)}",
        f"`{pen.noun()}_{pen.noun()}` {pen.past()} {phrase(pen)}",
        sentence(pen),
        f"{pen.verb()} {phrase(pen)} ({pen.date()})",
    )
    return pen.pick(forms)
