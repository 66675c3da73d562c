"""The page Shift and frequency."""
