"""Catalogues of every sentence on screen (gettext), and the script that writes the English one."""
