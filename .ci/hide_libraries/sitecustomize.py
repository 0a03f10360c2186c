"""Hide system libraries from Python, to test what happens on a machine without them.

With this folder in ``PYTHONPATH`` the libraries in ``HIDDEN_LIBRARIES`` ("xcb-cursor EGL …") are not found by
``ctypes.util.find_library``, and PySide6, which needs some of them, fails to import as it does without them.
"""

import ctypes.util
import importlib.abc
import os
import sys

HIDDEN = frozenset(os.environ.get("HIDDEN_LIBRARIES", "").split())
LINKED = ("EGL", "GL", "fontconfig", "freetype", "glib-2.0", "xkbcommon", "dbus-1")  # by PySide6.QtGui and QtWidgets

find_library = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if name in HIDDEN else find_library(name)


class Loader(importlib.abc.MetaPathFinder):
    """Fails as the dynamic loader does for a library that is missing."""

    def find_spec(self, name, path, target=None):
        if name in ("PySide6.QtGui", "PySide6.QtWidgets"):
            for library in LINKED:
                if library in HIDDEN:
                    raise ImportError(f"lib{library}.so: cannot open shared object file: No such file or directory")
        return None


sys.meta_path.insert(0, Loader())
