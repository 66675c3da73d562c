"""The page The answer."""
