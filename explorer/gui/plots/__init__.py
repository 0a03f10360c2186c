"""Plot items that the panels share."""
