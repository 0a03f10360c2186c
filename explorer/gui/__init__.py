"""The desktop front end: a PySide6 window with pyqtgraph plots. Only the main thread uses it."""

import os

os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"  # the user's may name another binding, with which pyqtgraph would not load
