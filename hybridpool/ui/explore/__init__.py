"""The page Explore: one picture through the stem and every pooling."""
