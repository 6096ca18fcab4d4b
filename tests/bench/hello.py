"""The smallest page there is, served as the desk is: what any rerun costs at least.

`python tests/bench/hello.py PORT` serves it; Streamlit then runs the same file, without a port, as the page.
"""

import sys

import streamlit as st

if len(sys.argv) == 2:
    port, sys.argv[:] = int(sys.argv[1]), [sys.argv[0]]
    quiet = {"server.headless": True, "server.fileWatcherType": "none", "browser.gatherUsageStats": False}
    st.App(__file__).run(config=quiet | {"server.address": "127.0.0.1", "server.port": port})
else:
    st.write("hello")
