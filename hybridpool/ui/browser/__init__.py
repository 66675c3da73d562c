"""What travels to the browser: components of our own, how they are packed, and what they send."""
