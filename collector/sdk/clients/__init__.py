"""Other libraries' clients and frameworks, traced from within: OpenAI, Anthropic, LangChain, LangGraph.

None of them is a dependency, and none is imported here: a client is handed to us, already made.
"""
