"""Training: the experiment, from pictures to verdicts."""
