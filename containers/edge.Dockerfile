# syntax=docker/dockerfile:1.7
# The edge: NGINX with the repository's own configuration, which launcher/edge.py fills in from LIGHTBOX_*.
# Build from the repository's root: docker build -f containers/edge.Dockerfile -t lightbox/edge .
ARG PYTHON=python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

FROM ${PYTHON} AS packages
COPY containers/edge.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && \
    /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.lock

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin lightbox && \
    install -d -o 10001 -g 10001 /var/lib/lightbox
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/lightbox
COPY portal_wire portal_wire
COPY launcher launcher
COPY nginx nginx
COPY ui_service/static ui_service/static
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LIGHTBOX_BIND_ADDRESS=0.0.0.0 LIGHTBOX_DATA_DIR=/var/lib/lightbox
USER 10001
EXPOSE 8443 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import ssl, urllib.request; urllib.request.urlopen('https://localhost:8443/healthz', timeout=4, context=ssl._create_unverified_context())"]
CMD ["python", "-m", "launcher.edge"]
