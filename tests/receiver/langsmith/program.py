"""A LangChain chain with a tool-calling model, a retriever and an agent's loop, traced by LangChain's own tracer."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> dict[str, Any]:
    """Current weather for a city."""
    return {"city": city, "temp_c": 31}


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(page_content=f"about {query}", metadata={"source": "book", "score": 0.5})]


def answer(question: str) -> str:
    found = Shelf().invoke(question)
    model = ChatOpenAI(model="gpt-4o-mini", temperature=0.2)
    called = get_weather.invoke(
        {"name": "get_weather", "args": {"city": "Patiala"}, "id": "call_1", "type": "tool_call"}
    )
    said = model.invoke(
        [SystemMessage(found[0].page_content), HumanMessage(question), HumanMessage(str(called.content))]
    )
    streamed = "".join(str(chunk.content) for chunk in model.stream([HumanMessage(question)]))
    return f"{said.content} {len(streamed) > 0}"


config = {"metadata": {"thread_id": "thread-42", "plan": "pro"}, "tags": ["demo"], "run_name": "agent"}
print(RunnableLambda(answer).invoke("weather", config))
wait_for_all_tracers()
