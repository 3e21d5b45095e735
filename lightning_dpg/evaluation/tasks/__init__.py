"""What the arms are asked to do: who speaks, and what is said to them."""

from lightning_dpg.evaluation.tasks.make import make_tasks
from lightning_dpg.evaluation.tasks.task import Context, Item, Task

__all__ = ["Context", "Item", "Task", "make_tasks"]
