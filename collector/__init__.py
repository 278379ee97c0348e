"""The collector: writes spans of LLM applications into one SQLite file. Importing it starts nothing."""
