"""A job's way to a vendor and back."""
