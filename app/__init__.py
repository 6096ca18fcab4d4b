"""What people see: thin pages over `core`; the only place that imports streamlit."""
