"""Readers of reviews: one file a format, and what they share; `engine.reviews.open_reviews` chooses among them."""
