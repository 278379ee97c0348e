"""The demo: a scripted agent, traced through the real road into a file of its own."""
