"""What the desk answered and what people decided: levels, labels and reasons, and a log of both that shows changes."""
