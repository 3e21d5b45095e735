"""The benchmark of speed: contenders side by side, their floor, and the targets."""
