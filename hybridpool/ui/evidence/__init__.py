"""The page "Evidence": the article's claims against trained networks."""
