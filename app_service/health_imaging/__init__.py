"""DICOM results into AWS HealthImaging, where LIGHTBOX_HEALTHIMAGING_DATASTORE names a data store.

Each Segmentation is laid into a folder of S3, an import job is started for it, and what became of each file is read
from the job's own manifest: "completed" says nothing of that.
https://docs.aws.amazon.com/healthimaging/latest/devguide/understanding-import-jobs.html
"""
