"""The kinds of version that answer."""

from ml_service.served import Served
from ml_service.served_prompts import ServedPrompts
from ml_service.served_rules import ServedRules

Answering = Served | ServedRules | ServedPrompts
