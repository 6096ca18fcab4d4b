"""From texts to vectors: one client for every OpenAI-compatible endpoint, its cache, and the embedded endpoint."""
