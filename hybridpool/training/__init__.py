"""Training: the experiment on CIFAR-10, and small tasks that learn while one watches."""
