"""The page By hand: the arithmetic of every window."""
