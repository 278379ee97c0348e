"""`tracetui run -- CMD`: a collector, an environment that points at it, CMD, and what it left behind."""
