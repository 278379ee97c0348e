"""The one place that says which version this is; packaging and every command read it from here."""

VERSION = "0.1.0"
