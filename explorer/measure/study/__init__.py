"""What both paper studies share: options, claims, pages and tables."""
