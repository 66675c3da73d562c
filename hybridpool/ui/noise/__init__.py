"""The page Noise and occlusion."""
