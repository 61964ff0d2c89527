# syntax=docker/dockerfile:1.7
# The api, its worker, its intake and the watcher of incoming images: one image, four commands (compose.yml).
# Build from the repository's root: docker build -f containers/app.Dockerfile -t lightbox/app .
# The base is pinned by the digest of its multi-architecture index, as several public projects name it; it was not pulled here.
ARG PYTHON=python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

FROM ${PYTHON} AS packages
COPY requirements-app.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && \
    /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.lock

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin lightbox
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/lightbox
COPY portal_wire portal_wire
COPY app_service app_service
COPY command_line command_line
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.tcache_count=0:glibc.malloc.mmap_threshold=1048576
RUN install -d -o 10001 -g 10001 /var/lib/lightbox /run/lightbox /srv/incoming
USER 10001
VOLUME ["/var/lib/lightbox"]
EXPOSE 5000 5002
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/readyz', timeout=4)"]
CMD ["gunicorn", "--config", "app_service/gunicorn.conf.py", "--bind", "0.0.0.0:5000"]
