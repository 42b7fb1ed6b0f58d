"""How frameworks that are not installed here retell one agent's words to another: each word stays with its speaker."""

from __future__ import annotations

import json

import pytest
from tests.flow.stories import Story, assistant, call, check, place, result, system, user
from tests.words import DRAFT, NOTES, PLAN, QUESTION, VERDICT, sentences


@pytest.fixture
def story() -> Story:
    """A planner, a researcher and a writer have had their say."""
    story = Story()
    for agent, words in (("planner", PLAN), ("researcher", NOTES), ("writer", DRAFT)):
        story.says(agent, words)
    return story


def test_a_tasks_context_is_the_earlier_tasks(story: Story):
    """CrewAI: the outputs of earlier tasks, joined by a rule, stand beneath the task's own text."""
    context = "\n\n----------\n\n".join((NOTES, DRAFT))
    prompt = [
        system("You are critic. You have read a thousand pages.\nYour personal goal is: to spare skippers a wreck"),
        user(
            "\nCurrent Task: Judge the page for skippers.\n\n"
            "This is the expected criteria for your final answer: a verdict of three sentences\n"
            "you MUST return the actual complete content as the final answer, not a summary.\n\n"
            f"This is the context you're working with:\n{context}\n\n"
            "Begin! This is VERY important to you, use the tools available and give your best Final Answer, "
            "your job depends on it!\n\nThought:"
        ),
    ]

    check(story.reads("critic", prompt), prompt, {"agent:researcher": [NOTES], "agent:writer": [DRAFT]})


def test_work_delegated_to_a_coworker_is_the_delegators(story: Story):
    """CrewAI: task and context are two arguments of one call, and the coworker reads both within templates."""
    arguments = {"task": sentences(VERDICT)[0], "context": "The page is for skippers of small barges. " + DRAFT[:130], "coworker": "writer"}
    story.says("critic", [call("delegate_work_to_coworker", json.dumps(arguments), "call_7")])
    prompt = [
        user(
            f"\nCurrent Task: {arguments['task']}\n\n"
            "This is the expected criteria for your final answer: Your best answer to your coworker.\n\n"
            f"This is the context you're working with:\n{arguments['context']}\n\nBegin!\n\nThought:"
        )
    ]

    # What the critic quotes of the draft is relayed: it belongs to the relay, whoever reads it.
    check(story.reads("writer", prompt), prompt, {"agent:critic": [arguments["task"], arguments["context"]]})


def test_another_agents_turn_is_told_line_by_line(story: Story):
    """ADK: a foreign turn becomes a user's message, one prefix for each of its parts."""
    lines = sentences(NOTES)
    prompt = [
        system("You write pages for skippers."),
        user("For context:"),
        *(user(f"[researcher] said: {line}", opens=False) for line in lines),
        user(QUESTION),
    ]

    # Two of the four lines are long enough to be known alone, the others because these are known.
    check(story.reads("editor", prompt), prompt, {"agent:researcher": lines})


def test_a_transcript_in_one_message(story: Story):
    """ADK: the turns of two agents beneath one heading, a prefix for each sentence."""
    told = [(f"[{agent}] said: ", line) for agent, text in (("researcher", NOTES), ("writer", DRAFT)) for line in sentences(text)]
    transcript = "\n".join(prefix + line for prefix, line in told)
    prompt = [user(f"For context: below is a transcript of what another agent said.\n{transcript}"), user(QUESTION)]

    check(story.reads("editor", prompt), prompt, {"agent:researcher": sentences(NOTES), "agent:writer": sentences(DRAFT)})


def test_a_tool_call_retold_is_the_callers_and_its_result_the_tools(story: Story):
    """ADK: calls are told with their parameters, results with what they returned, both as Python writes a dict."""
    sought = "soundings of last April between the locks of Brenn and Oster, by mile and by season"
    query = {"query": sought, "limit": 20}
    story.says("planner", [call("search", json.dumps(query), "call_1")])
    answer = (
        "Mile 214: nine feet at low water, gravel on the right hand. Mile 230: eleven feet, a sunken willow. Mile 251: seven feet, rock."
    )
    story.runs("search", answer, "call_1")
    retold = (
        f"[planner] called tool `search` with parameters: {query}",
        f"[planner] `search` tool returned result: { {'result': answer} }",
    )
    prompt = [user("For context:"), *(user(line, opens=False) for line in retold), user(QUESTION)]

    # Of {'query': '...', 'limit': 20} the words between the quotes are the planner's for sure; the rest is a few tokens.
    check(story.reads("editor", prompt), prompt, {"agent:planner": [sought], "tool:search": [answer]})


MANAGED = """New task:
You're a helpful agent named 'researcher'.
You have been submitted this task by your manager.
---
Task:
{task}
---
You're helping your manager solve a wider task: so make sure to not provide a one-line answer, but give as much information as possible \
to give them a clear understanding of the answer."""


def test_a_managed_agents_task_is_its_managers(story: Story):
    """smolagents: the task is a string within the code that the manager wrote, and is wrapped in a long template."""
    code = f"Thought: I need the locks first.\n<code>\nreport = researcher(task='''{PLAN}''')\nprint(report)\n</code>"
    story.says("manager", code)
    prompt = [system("You are an expert assistant who can solve any task using code blobs."), user(MANAGED.format(task=PLAN))]

    # The planner wrote the plan first; the manager passed it on in its own code, and relayed text belongs to the relay.
    check(story.reads("researcher", prompt), prompt, {"agent:manager": [PLAN]})


def test_a_managed_agents_report_is_its_own(story: Story):
    """smolagents: the final answer is an argument of a call, and comes back as an observation, as a user's message."""
    story.says("researcher", [call("final_answer", json.dumps({"answer": f"### 1. Task outcome\n{VERDICT}"}), "call_9")])
    report = f"Here is the final answer from your managed agent 'researcher':\n### 1. Task outcome\n{VERDICT}"
    prompt = [user(f"New task:\n{QUESTION}"), user(f"Observation:\nExecution logs:\n{report}\nLast output from code snippet:\nNone")]

    check(story.reads("manager", prompt), prompt, {"agent:researcher": ["### 1. Task outcome\n" + VERDICT]})


def test_a_handoffs_message_and_shared_knowledge(story: Story):
    """strands: what the agent before says and knows stands in one user's message, its knowledge as JSON."""
    message = "Please turn these notes into a page for skippers, no longer than three sentences, and say who must not sail at all."
    knowledge = {"notes": NOTES, "done": True}
    story.says(
        "researcher", [call("handoff_to_agent", json.dumps({"agent_name": "editor", "message": message, "context": knowledge}), "t1")]
    )
    prompt = [
        user(
            f"Handoff Message: {message}\n\nUser Request: {QUESTION}\n\nPrevious agents who worked on this: planner -> researcher\n\n"
            f"Shared knowledge from previous agents:\n- researcher: {json.dumps(knowledge)}\n\n"
            "You have access to swarm coordination tools if you need help from other agents. "
            "If you don't hand off to another agent, the swarm will consider the task complete."
        )
    ]

    # The knowledge stands word for word in the researcher's call.
    check(story.reads("editor", prompt), prompt, {"agent:researcher": [message, json.dumps(knowledge)]})


def test_a_nested_history_is_told_item_by_item(story: Story):
    """OpenAI Agents: the conversation before a hand-off is one assistant message; items of several lines are JSON."""
    items = [
        f"1. assistant: {NOTES}",
        "2. " + json.dumps({"role": "assistant", "content": [{"type": "output_text", "text": PLAN}]}),
        f"3. assistant: {DRAFT}",
    ]
    heading = "For context, here is the conversation so far between the user and the previous agent:"
    told = "\n".join([heading, "<CONVERSATION HISTORY>", *items, "</CONVERSATION HISTORY>"])
    prompt = [system("You edit pages for skippers."), assistant(told)]
    owners = {"agent:researcher": [NOTES], "agent:planner": [json.dumps(PLAN)[1:-1]], "agent:writer": [DRAFT]}

    # The heading is nobody's whom we saw: in an assistant's message it is external.
    check(story.reads("editor", prompt), prompt, owners)


def test_a_group_chats_transcript(story: Story):
    """AutoGen: a selector reads everybody's words as `source: content`."""
    chat = "\n\n".join(f"{source}: {text}" for source, text in (("planner", PLAN), ("researcher", NOTES), ("writer", DRAFT)))
    prompt = [
        system(
            "You are in a role play game. The following roles are available:\nplanner\nresearcher\nwriter.\n"
            f"Read the following conversation. Then select the next role to play. Only return the role.\n\n{chat}\n\n"
            "Read the above conversation. Then select the next role to play. Only return the role."
        )
    ]

    check(story.reads("selector", prompt), prompt, {"agent:planner": [PLAN], "agent:researcher": [NOTES], "agent:writer": [DRAFT]})


def test_a_debates_answers_are_each_their_agents(story: Story):
    """Everybody reads everybody else's answer in one prompt, fenced, and answers anew."""
    story.says("critic", VERDICT)
    fenced = "\n\n".join(f"One agent solution:\n```\n{text}\n```" for text in (VERDICT, NOTES, DRAFT))
    prompt = [user(f"These are the solutions to the problem from other agents:\n\n{fenced}\n\nUse them as advice and answer again.")]

    check(story.reads("writer", prompt), prompt, {"agent:critic": [VERDICT], "agent:researcher": [NOTES], "self": [DRAFT]})


def test_a_tools_answer_within_a_users_message(story: Story):
    """ReAct by text: what a tool returned is written as an observation beneath the agent's own thought."""
    answer = "Mile 214: nine feet at low water, gravel on the right hand. Mile 230: eleven feet. Mile 251: seven feet, then rock."
    story.says("pilot", "Thought: I should look at the soundings of the whole reach before I say anything about depth.\nAction: search")
    story.runs("search", answer)
    thought = "Thought: I should look at the soundings of the whole reach before I say anything about depth.\nAction: search"
    prompt = [user(f"Question: {QUESTION}\n{thought}\nObservation: {answer}\nThought:")]

    check(story.reads("pilot", prompt), prompt, {"self": [thought], "tool:search": [answer]})


def test_a_tools_answer_wrapped_under_its_call_id(story: Story):
    """A middleware put a warning around the tool's result: all of it is the tool's, and its words lead to the tool's run."""
    ran = story.runs("search", NOTES, "call_3")
    wrapped = f"<untrusted>\n{NOTES}\n</untrusted>"
    prompt = [user(QUESTION), result(wrapped, "search", "call_3")]
    span = story.reads("pilot", prompt)

    check(span, prompt, {"tool:search": [wrapped]})
    assert [place(link) for link in span.links] == [place(ran)]
