"""What the desk answered and what people decided: levels, labels and reasons, never a note's text."""
