# syntax=docker/dockerfile:1.7
# The models on an NVIDIA card: the ml image with TensorFlow and its CUDA libraries beside OpenVINO.
# TensorFlow's own pins name the CUDA packages; they have no hashes here, because requirements-ml.lock has no such set.
ARG ML=lightbox/ml
FROM ${ML}
USER root
RUN /opt/venv/bin/pip install --no-cache-dir "tensorflow[and-cuda]==2.21.0"
ENV LIGHTBOX_ML_ENGINE=tensorflow NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
