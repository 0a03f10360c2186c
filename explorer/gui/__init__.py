"""The desktop face: a window by PySide6, drawn by pyqtgraph. Only the thread of the window touches it."""
