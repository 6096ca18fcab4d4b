"""Red flags: cited rules on a note's text that set a floor under its acuity; the rules are files."""
