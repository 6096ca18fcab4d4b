"""Look at many notes at once: projection of their vectors, neighbours, and later clusters and drift."""
