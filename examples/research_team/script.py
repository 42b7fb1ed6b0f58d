"""What the models of the offline demo say, call by call, and the two requests of the user."""

from __future__ import annotations

from token_otel.testing.loopback import Answer, ToolCall

FIRST = (
    "Please prepare a short brief for the city council on how our city can keep cool. Base it on the report, and keep it under 200 words."
)
SECOND = "Thank you. Now I need two sentences for the mayor's speech, about the measures that show results within a year."


def _hand(agent: str, task: str) -> Answer:
    return Answer(tool_calls=[ToolCall(f"transfer_to_{agent}", {"task": task})])


NOTES = """\
Why cities are hotter: dark surfaces, little water, waste heat; the difference is largest on calm, clear nights (typically 2 to 5 degrees).
Reflective roofs: a light roof stays 20 to 30 degrees cooler on a clear summer day; cheap at renewal, little effect on the street.
Trees and shade: shade lowers what a person feels by far more than the air temperature; young trees need 10 to 20 years and water.
Water and parks: a park cools a few hundred metres downwind; several small ones usually serve more people than one large one.
Night cooling and health: the harm is done at night, when bodies do not recover; the old and the ill in top-floor flats are hit first.
Costs and order: shade and shutters first, roofs at renewal, trees at once because they are slow, machines last.
Open: the report gives no figures for our own city, and says that measurements on the street should come before large spending."""

DRAFT = """\
Cities are hotter than their surroundings, most of all on still, clear nights, when the difference is typically 2 to 5 degrees. That is
when heat does its harm, because bodies do not recover.

We propose four steps. First, shade: shutters, awnings and sails over bus stops and playgrounds work within a season. Second, light
roofs, whenever a roof is renewed anyway; they keep top-floor flats cooler. Third, trees, planted now because they need 10 to 20 years
and a secured supply of water. Fourth, several small parks rather than one large one, since a park cools only its own neighbourhood.

Air conditioning comes last: it moves heat into the street. Before large sums are spent, we recommend a summer of measurements on the
street, because no figures exist yet for our own city."""

CRITIQUE = """\
1. "Work within a season" is stronger than the notes, which rank shade first by cost and order but give no date; say "soon".
2. The old and the ill in top-floor flats are the reason for the roofs and must be named.
3. Say once that all figures are typical ranges from the report, not measurements here.
With these changes the draft may go out."""

REVISED = """\
Cities are hotter than their surroundings, most of all on still, clear nights: typically by 2 to 5 degrees. Then heat does its harm,
because bodies do not recover; the old and the ill in top-floor flats are hit first. (All figures are typical ranges from the report.)

We propose four steps. First, shade: shutters, awnings and sails over bus stops and playgrounds, which help soon. Second, light roofs
whenever a roof is renewed anyway, for the sake of those who live beneath them. Third, trees, planted now because they need 10 to 20
years and a secured supply of water. Fourth, several small parks rather than one large one, since a park cools its own neighbourhood.

Air conditioning comes last: it moves heat into the street. Before large sums are spent, we recommend a summer of measurements on the
street, because no figures exist yet for our own city."""

QUICK = """\
Soon, says the report: outside shade (shutters, blinds, awnings, sails), night ventilation of public rooms, light roofs at each renewal.
Slow: trees (10 to 20 years until their crowns shade) and small parks, which follow as sites become free. The report gives no date for
shade beyond "soon", so a promise "within a year" would be ours, not the report's."""

SPEECH = """\
This year we will put shade where people wait and play, and make every roof that we renew a light one, so that the flats beneath it stay
cooler. Trees and small parks follow from this autumn on: they are slow, and that is why we begin now."""

SPEECH_CRITIQUE = "The first sentence keeps to the notes. The second promises nothing within the year, which is right. It may go out."

OPENAI = {
    "gpt-5-mini": [
        _hand("researcher", "Read the report and note what cools a city, with ranges, and what the report leaves open."),
        _hand("writer", "Draft the brief for the council from the researcher's notes, under 200 words."),
        _hand("critic", "Compare the writer's draft with the researcher's notes."),
        _hand("writer", "Revise the draft as the critic asks and return the whole of it."),
        Answer(f"Here is the brief, reviewed once.\n\n{REVISED}"),
        _hand("researcher", "Which measures of the report show results within a year, and which do not?"),
        _hand("writer", "Write two sentences for the mayor's speech from the researcher's last notes."),
        _hand("critic", "Check the two sentences against the researcher's last notes."),
        Answer(f"Two sentences for the speech, checked against the notes.\n\n{SPEECH}"),
    ],
    "gpt-5": [
        Answer(DRAFT, reasoning_tokens=192),
        Answer(REVISED, reasoning_tokens=128),
        Answer(SPEECH, reasoning_tokens=64),
    ],
    "gpt-4.1-mini": [Answer(CRITIQUE), Answer(SPEECH_CRITIQUE)],
}

ANTHROPIC = {
    "claude-haiku-4-5": [Answer(tool_calls=[ToolCall("read_report")]), Answer(NOTES), Answer(QUICK)],
}
