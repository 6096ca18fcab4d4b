"""Tables of thousands of notes: read them, classify them in shards that survive an interruption, write them again."""
