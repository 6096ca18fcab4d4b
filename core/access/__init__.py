"""Who may use the desk without its pages, and how much: keys, allowances, turns."""
