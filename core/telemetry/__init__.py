"""What the desk tells of itself: Prometheus metrics, structured logs, traces. None of it holds a note's text."""
