"""The kinds of version that answer."""

from ml_service.served import Served
from ml_service.served_prompts import ServedPrompts
from ml_service.served_rules import ServedRules
from ml_service.served_volume import ServedVolume

Answering = Served | ServedRules | ServedPrompts | ServedVolume
