# syntax=docker/dockerfile:1.7
# The whole portal in one container: what `make run` runs, with its own Redis, NGINX and SQLite. Also for Cloud Run and
# Lambda (containers/README.md), where what is kept ends with the container unless a database and S3 are named.
# Build from the repository's root: docker build -f containers/all-in-one.Dockerfile -t lightbox/all-in-one .
ARG PYTHON=python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d
ARG ADAPTER=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1

FROM ${PYTHON} AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && \
    /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.lock

# Turns Lambda's events into requests to LIGHTBOX_PLAIN_PORT. Elsewhere it does nothing.
FROM ${ADAPTER} AS adapter

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin lightbox && \
    install -d -o 10001 -g 10001 /var/lib/lightbox
COPY --from=adapter /lambda-adapter /opt/extensions/lambda-adapter
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/lightbox
COPY portal_wire portal_wire
COPY app_service app_service
COPY ui_service ui_service
COPY ml_service ml_service
COPY launcher launcher
COPY nginx nginx
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LIGHTBOX_BIND_ADDRESS=0.0.0.0 LIGHTBOX_DATA_DIR=/var/lib/lightbox LIGHTBOX_PLAIN_PORT=8080 \
    AWS_LWA_PORT=8080 AWS_LWA_READINESS_CHECK_PATH=/healthz AWS_LWA_INVOKE_MODE=response_stream
USER 10001
VOLUME ["/var/lib/lightbox"]
EXPOSE 8443 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import ssl, urllib.request; urllib.request.urlopen('https://localhost:8443/healthz', timeout=4, context=ssl._create_unverified_context())"]
CMD ["python", "-m", "launcher"]
