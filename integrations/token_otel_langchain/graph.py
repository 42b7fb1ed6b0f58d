"""`Run`: a run as LangChain reports it, and what LangGraph says about it: which graphs are agents, and their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["chain", "node", "task", "tool", "model", "retriever"]
Shown: TypeAlias = Literal["agent", "workflow", "leaf"]

# The inner nodes of prebuilt agents: they are parts of an agent, never agents.
_INNER = {"model", "agent", "tools", "pre_model_hook", "post_model_hook", "generate_structured_response"}
_MIDDLEWARE = (".before_agent", ".before_model", ".after_model", ".after_agent")
_CREATE_AGENT = "langchain_create_agent"
_UNNAMED = "LangGraph"
_CHAIN_CLASS = "Runnable"  # RunnableSequence, RunnableParallel<a,b>, ...: not a name that somebody gave
_NODE_TAG = "graph:step:"
_ATTEMPT_TAG = "retry:attempt:"


class Run:
    """One run, remembered from its start; `shown` says as what it was reported, if it was.

    Most chains are never reported: only ancestors of what costs tokens are, at the moment in which that begins. Until then
    it is unknown what a graph is, since LangGraph does not say, but its nodes do.
    """

    __slots__ = (
        "agent_name",
        "at_ns",
        "attempt",
        "created",
        "ended",
        "handed_to",
        "holder",
        "id",
        "interrupted",
        "is_graph",
        "key",
        "metadata",
        "name",
        "namespace",
        "orphan_of",
        "parent",
        "prebuilt",
        "retold",
        "role",
        "seen",
        "shown",
        "streaming",
        "tags",
    )

    def __init__(
        self,
        key: int,
        role: Role,
        name: str,
        *,
        parent: Run | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        at_ns: int = 0,
    ) -> None:
        found = metadata or {}
        self.key = key
        self.id = ""
        self.role: Role = role
        self.name = name
        self.parent = parent
        self.orphan_of: str | None = None
        self.metadata = found
        self.tags = tags or ()
        self.at_ns = at_ns
        namespace, agent_name = found.get("langgraph_checkpoint_ns"), found.get("lc_agent_name")
        self.namespace = namespace if isinstance(namespace, str) else ""
        self.agent_name = agent_name if isinstance(agent_name, str) else None
        self.created = found.get("ls_integration") == _CREATE_AGENT
        self.attempt = 1
        self.is_graph = False
        self.prebuilt = False
        self.shown: Shown | None = None
        self.ended = False
        self.interrupted = False
        self.streaming = False
        self.seen: Any = None
        self.retold = False
        self.handed_to: set[str] = set()
        self.holder: object = None  # tells when nobody can end the run any more
        for tag in self.tags:
            if tag.startswith(_NODE_TAG):
                self.role = "node"
                if parent is not None:
                    parent.is_graph = True
            elif tag.startswith(_ATTEMPT_TAG) and (attempt := tag.removeprefix(_ATTEMPT_TAG)).isdecimal():
                self.attempt = int(attempt[:9])
        if self.role == "chain" and parent is not None and self.namespace != parent.namespace and found.get("langgraph_node") == name:
            self.role = "task"

    def above(self) -> Iterator[Run]:
        """Yield its ancestors, nearest first."""
        run = self.parent
        while run is not None:
            yield run
            run = run.parent

    @property
    def tool(self) -> Run | None:
        """The nearest tool above it."""
        return next((run for run in self.above() if run.role == "tool"), None)

    @property
    def graph(self) -> Run | None:
        """The graph that a node or task belongs to."""
        return next((run for run in self.above() if run.is_graph), None)


def is_agent(graph: Run, via: Run, *, calls_model: bool) -> bool:
    """Tell whether a graph is an agent, from the node in which something that matters begins; otherwise it coordinates.

    Metadata alone cannot tell: whatever runs beneath an agent inherits the marks of `create_agent`.
    """
    node = next((run for run in (via, *via.above()) if run.role == "node"), via)
    if _names_itself(graph) or node.prebuilt:
        return True
    if graph.created and (graph.parent is None or not graph.parent.created or _is_inner(node.name)):
        return True
    return calls_model and _is_inner(node.name)


def agent_name(run: Run) -> str:
    """Name an agent: a graph that is one, or a node or task that calls a model itself.

    Its own `lc_agent_name`; else the last namespace segment, within the nearest tool, that is no inner node; else the graph's
    name; else the tool that runs it. An `lc_agent_name` that is only inherited is its caller's.
    """
    if run.is_graph and run.agent_name is not None and _names_itself(run):
        return run.agent_name
    graph = run if run.is_graph else run.graph
    return _segment(run) or _graph_name(graph) or _tool_name(run) or "agent"


def workflow_name(graph: Run) -> str | None:
    """Name a graph that coordinates, or a chain outside any graph: its own name, else the node or the tool in which it stands."""
    return _graph_name(graph) or _segment(graph) or _tool_name(graph)


def _names_itself(graph: Run) -> bool:
    name = graph.agent_name
    return name is not None and (graph.name == name or graph.parent is None or graph.parent.agent_name != name)


def _segment(run: Run) -> str | None:
    tool = run.tool
    segments = run.namespace.split("|")[tool.namespace.count("|") + 1 if tool is not None and tool.namespace else 0 :]
    names = [segment.partition(":")[0] for segment in segments]
    return next((name for name in reversed(names) if name and not _is_inner(name)), None)


def _graph_name(graph: Run | None) -> str | None:
    if graph is None or graph.name in ("", _UNNAMED) or graph.name.startswith(_CHAIN_CLASS):
        return None
    return graph.name


def _tool_name(run: Run) -> str | None:
    tool = run.tool
    return tool.name if tool is not None else None


def _is_inner(name: str) -> bool:
    return name in _INNER or name.endswith(_MIDDLEWARE)
