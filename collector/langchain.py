"""LangChain and LangGraph, traced: `CallbackHandler`. Needs langchain-core, which whoever uses this has.

from collector.langchain import CallbackHandler

chain.invoke({"question": "Where is my order?"}, {"callbacks": [CallbackHandler()]})
"""

from collector.sdk.clients.langchain import CallbackHandler

__all__ = ["CallbackHandler"]
