"""The graphics host that is switched off until work arrives, and off again when none is left: what a Lambda function
runs (`handler.on_event`). Needs Python and boto3 alone; `python -m command_line.ml_host.package FILE` packs it.

Told by the environment: LIGHTBOX_ML_INSTANCE_ID or LIGHTBOX_ML_GROUP (an Auto Scaling group), and where wanted
LIGHTBOX_ML_START_DOCUMENT (of Systems Manager: starts the service and waits until it is ready), LIGHTBOX_PORTAL (whose
figures to read in CloudWatch), LIGHTBOX_INCOMING_QUEUE (address of the queue of files that came),
LIGHTBOX_IDLE_MINUTES (15).
"""
