"""The frame that both paper studies share: options, network selection, cache, progress, claims and reports."""
