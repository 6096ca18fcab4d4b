"""The desk for programs: routes beside the pages, in the same process and on the same port."""
