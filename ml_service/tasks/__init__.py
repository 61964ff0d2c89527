"""Tasks by name. Add one: a file here with LABELS, prepare() and interpret(), and a line below."""

from importlib import import_module
from types import ModuleType

TASKS = {
    "box-prompt": "ml_service.tasks.box_prompt",
    "brain-tumour": "ml_service.tasks.brain_tumour",
    "ct-tissue": "ml_service.tasks.ct_tissue",
    "lung-field": "ml_service.tasks.lung_field",
    "pneumonia": "ml_service.tasks.pneumonia",
}


def load(name: str) -> ModuleType:
    """Returns the task's module. Raises ValueError for a name that is not listed."""
    if name not in TASKS:
        raise ValueError(f"Expected a task out of {sorted(TASKS)}. Received: {name!r}")
    return import_module(TASKS[name])
