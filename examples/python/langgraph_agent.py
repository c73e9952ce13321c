"""An agent of LangGraph that saves and searches memories as its model asks for it.

    pip install langgraph
    python examples/python/langgraph_agent.py

No key is needed, because a rule stands for the model here. A real one is put in its place by

    model = ChatOpenAI(model="gpt-4o-mini").bind_tools(tools)

and a node that returns ``{"messages": [model.invoke(state["messages"])]}``.
"""

# Not all of langgraph is typed:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import uuid

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from memu import MemoryService
from memu.integrations.langgraph import MemULangGraphTools

USER_ID = "alice"
REMEMBER = "Remember: "


def rule(state: MessagesState) -> dict[str, list[AnyMessage]]:
    """What a model would decide: save what it is told to, look up what it is asked, then answer."""
    last = state["messages"][-1]
    text = str(last.content)
    if isinstance(last, ToolMessage):
        return {"messages": [AIMessage(text)]}
    if text.startswith(REMEMBER):
        name, argument = "save_memory", {"content": text.removeprefix(REMEMBER)}
    else:
        name, argument = "search_memory", {"query": text}
    call = {"name": name, "args": {**argument, "user_id": USER_ID}, "id": uuid.uuid4().hex}
    return {"messages": [AIMessage("", tool_calls=[call])]}


def main() -> None:
    service = MemoryService()
    tools = MemULangGraphTools(service).tools()
    graph = StateGraph(MessagesState)
    graph.add_node("model", rule)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    agent = graph.compile()

    for text in [
        "Remember: Alice drinks her coffee with oat milk.",
        "Remember: Alice's sister Ines lives in Lisbon.",
        "What does Alice drink in her coffee?",
    ]:
        answer = agent.invoke({"messages": [HumanMessage(text)]})
        print(f"> {text}")
        print(answer["messages"][-1].content)
    service.sync.close()


if __name__ == "__main__":
    main()
