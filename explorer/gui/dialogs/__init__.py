"""The dialogs of the desktop explorer."""
