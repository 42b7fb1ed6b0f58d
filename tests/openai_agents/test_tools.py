"""Tools that are not functions of the program: those of an MCP server, and approvals that interrupt a run."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from agents import function_tool
from agents.mcp import MCPServerStdio
from tests.openai_agents.bench import DOORS, SPANS, Answer, ask, bench, calls, flow

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
FOUND = "At mile seven hundred it is eleven feet deep in spring, and seven in late summer."
HOW = pytest.mark.parametrize("how", [SPANS, DOORS])

SERVER = '''
from mcp.server import MCPServer

server = MCPServer("survey")


@server.tool()
def survey(mile: int) -> str:
    """Read how deep the river is."""
    return f"At mile {mile} the river is eleven feet deep in spring, says the survey."


server.run("stdio")
'''


@HOW
def test_a_tool_of_an_mcp_server_is_a_tool(how: str, tmp_path: Path):
    """It has a span, its call's id, and its result is its own in the next prompt; to list the server's tools is a step."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    with bench([calls("survey", "call_1", mile=700), Answer(FOUND)], how=how) as b:

        async def main() -> None:
            async with MCPServerStdio(
                params={"command": sys.executable, "args": [str(script)]}, client_session_timeout_seconds=30
            ) as server:
                await ask(b.agent(mcp_servers=[server]), ASK)

        b.wait(main)

        b.check()
        assert b.tree == [
            "invoke_workflow",
            "  invoke_agent scout",
            "    chat gpt-5-mini",
            "    execute_tool survey",
            "    chat gpt-5-mini",
        ]
        [tool] = b.named("execute_tool")
        assert tool["gen_ai.tool.call.id"] == "call_1"
        assert set(flow(b.chats[1])) == {"tools", "system", "user", "self", "tool:survey"}


@HOW
def test_a_run_that_waits_for_approval_is_resumed(how: str):
    """The second half is a run of its own, and reads what the first has said."""
    with bench([calls("sound", "call_1"), Answer(FOUND)], how=how) as b:

        @function_tool(needs_approval=True)
        def sound() -> str:
            """Sound the depth."""
            return "At mile seven hundred the river is eleven feet deep in spring, says the echo."

        async def main() -> None:
            agent = b.agent(tools=[sound])
            result = await ask(agent, ASK)
            state = result.to_state()
            [wanted] = result.interruptions
            state.approve(wanted)
            await ask(agent, state)

        b.wait(main)

        b.check()
        assert {"self", "tool:sound"} <= set(flow(b.chats[1]))
        assert b.named("execute_tool")[-1]["gen_ai.tool.name"] == "sound"
