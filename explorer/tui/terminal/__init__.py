"""The terminal as a device: driver, screen buffer, colours, throttle."""
