"""The dialogs of the terminal explorer."""
