"""The desktop front end: a PySide6 window with pyqtgraph plots. Only the main thread uses it."""
