"""Words that agents say in tests, and the truth of a prompt made of them: who wrote which part of it, and what that was billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from token_otel.testing.loopback.openai_prompt import count

QUESTION = "How far up the river can a barge travel this winter, and what should its skipper know?"
PLAN = """1. Ask the lock keepers at Brenn and Oster which gates stay open after the first frost.
2. Compare their answers with the soundings of last April, mile by mile.
3. Mark every reach where a loaded barge would touch the gravel at low water.
4. Write down which cargo can wait for the thaw, and which must go by rail."""
NOTES = (
    "The keeper at Brenn closes the upper gate ten days after the first frost, never earlier. "
    "Oster stays open all winter for vessels under ninety tons. "
    "Between the two the channel narrows to forty feet, and in April a pair of shoals rises below the railway bridge. "
    "Nobody has dredged them since the great flood."
)
DRAFT = (
    "Small barges may pass Oster in any month, but whoever wants to reach Brenn has to set out before the second week of ice. "
    "Under the bridge keep close to the left bank, where the bed is firm and the current slow. "
    "Heavier freight had better stay in port until March or travel overland from Marlow."
)
VERDICT = (
    "The warning about the shoals belongs in the first sentence, since it decides who can sail at all. "
    "Two claims lack a source: the width of the channel, and the advice to stay in port. "
    "Cut the remark about Marlow, which no reader of this page will need."
)
TOLERANCE = 0.03  # of the input
SMALL = 8  # tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One message or document of a prompt.

    Attributes:
        text: Its words.
        tokens: What it was billed, its frame included.
        role: Whose all of it is that nobody is known to have written.
    """

    text: str
    tokens: int
    role: str


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its full stop."""
    return [sentence.strip().rstrip(".") + "." for sentence in text.split(". ")]


def truth_of(prompt: Sequence[Written], owners: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The true tokens of each origin.

    Args:
        prompt: All that was billed.
        owners: The words of each origin, as they stand in the prompt; all else is the role's.
    """
    truth: dict[str, int] = {}
    found: set[str] = set()
    longest_first = sorted(((text, origin) for origin, texts in owners.items() for text in texts), key=lambda pair: -len(pair[0]))
    for piece in prompt:
        rest, tokens, shares = piece.text, piece.tokens, dict[str, int]()
        for text, origin in longest_first:
            times = rest.count(text)
            rest = rest.replace(text, "\0")
            if times:
                found.add(text)
                shares[origin] = shares.get(origin, 0) + times * count(text)
                tokens -= times * count(text)
        # What frames words of one origin alone is that origin's.
        whole = len(shares) == 1 and not rest.replace("\0", "").strip()
        role = next(iter(shares)) if whole else piece.role
        shares[role] = shares.get(role, 0) + tokens
        for origin, share in shares.items():
            truth[origin] = truth.get(origin, 0) + share
    assert {text for texts in owners.values() for text in texts} <= found, "the prompt does not read as the test believes"
    return truth


def agree(ours: Mapping[str, int], truth: Mapping[str, int], slack: int = 0, share: float = TOLERANCE) -> None:
    """What we say is the truth, to 3 % of the input or 8 tokens; nobody is credited who wrote nothing, and the sum is the bill.

    Args:
        ours: Tokens by origin, as exported.
        truth: Tokens by origin, as they are.
        slack: Tokens that are nobody's: what opens the reply.
        share: The tolerance, where it is not 3 %.
    """
    tolerance = max(SMALL, share * sum(ours.values())) + slack
    assert set(ours) <= set(truth), (ours, truth)
    assert all(abs(ours.get(origin, 0) - tokens) <= tolerance for origin, tokens in truth.items()), (ours, truth)
    assert sum(ours.values()) == sum(truth.values()) + slack
