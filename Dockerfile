# The service with its default model, without torch. README, section "Deploy", shows how to run it; `make image-test`
# builds and checks it.
#   docker build -t spritevae .                              CPU
#   docker build -t spritevae:gpu --build-arg RUNTIME=gpu .  GPU: run it with --gpus all
# To install packages from a mirror: --secret id=pip,src=pip.conf, with its certificates in
# --secret id=certificates,src=ca.crt
ARG BASE=docker.io/library/python:3.12-slim-bookworm

FROM ${BASE} AS build
ARG RUNTIME=cpu
WORKDIR /source
COPY . .
# pip is removed at the end: nobody installs packages in a running container.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m venv /opt/spritevae \
 && /opt/spritevae/bin/pip install --no-cache-dir --constraint requirements/constraints.txt ".[${RUNTIME}]" \
 && /opt/spritevae/bin/pip uninstall --yes pip setuptools

FROM ${BASE}
LABEL org.opencontainers.image.title="spritevae" \
      org.opencontainers.image.description="Sprites with named attributes: encode, decode and interpolate over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/spritevae /opt/spritevae
ENV PATH=/opt/spritevae/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SPRITEVAE_HOST=0.0.0.0 \
    SPRITEVAE_PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"SPRITEVAE_PORT\"]}/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["spritevae"]
CMD ["serve"]
