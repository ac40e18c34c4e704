"""Labelled items of the field: secrets and personal data as they are written, and what only looks like them."""
