"""Spans going out: to people (Markdown, HTML, CSV), to other tools (Perfetto), to a program that repeats a call. Pure.

calls        a recorded call of a model as the request that repeats it; what cannot be repeated is said
anthropic, openai   the two shapes of a request
code         that request as curl, Python and pytest; keys only as environment variables
markdown, html      whole traces to read;  table: CSV;  perfetto: Chrome's trace JSON
plainly      text that does no harm where it is shown
"""
