# syntax=docker/dockerfile:1.7
# A MONAI Application Package: one model over /var/holoscan/input, results in /var/holoscan/output, then it ends.
# Build from the repository's root, after the ml image: docker build -f containers/map/map.Dockerfile -t lightbox/map .
ARG ML=lightbox/ml
FROM ${ML}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="lightbox" org.opencontainers.image.version="${VERSION}"
USER root
RUN mkdir -p /opt/holoscan /opt/holoscan/docs && \
    ln -s /opt/lightbox /opt/holoscan/app && \
    mv /opt/lightbox/ml_service/models /opt/holoscan/models && \
    install -d -o 10001 -g 10001 /var/holoscan /var/holoscan/input /var/holoscan/output /var/run/holoscan/export
COPY containers/map/app.json containers/map/pkg.json /etc/holoscan/
COPY README.md LICENSE /opt/holoscan/docs/
ENV HOLOSCAN_INPUT_PATH=/var/holoscan/input HOLOSCAN_OUTPUT_PATH=/var/holoscan/output HOLOSCAN_WORKDIR=/var/holoscan \
    HOLOSCAN_MODEL_PATH=/opt/holoscan/models HOLOSCAN_APPLICATION=/opt/holoscan/app HOLOSCAN_DOCS_PATH=/opt/holoscan/docs \
    HOLOSCAN_APP_MANIFEST_PATH=/etc/holoscan/app.json HOLOSCAN_PKG_MANIFEST_PATH=/etc/holoscan/pkg.json
# The manifest names the models that this image really holds.
RUN python -m ml_service.application_package describe
USER 10001
# It runs and ends: there is nothing to ask for its health.
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "ml_service.application_package"]
CMD ["run"]
