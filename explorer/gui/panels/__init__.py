"""The panels of the desktop explorer, one dock each."""
