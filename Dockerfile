# The service with its default model, without torch. README, "Deploy", says how to run it; `make image-test` does.
#   docker build -t spritevae .                              CPU
#   docker build -t spritevae:gpu --build-arg RUNTIME=gpu .  GPU: run it with --gpus all
# Packages from a mirror: --secret id=pip,src=pip.conf, and its certificates: --secret id=certificates,src=ca.crt
ARG BASE=docker.io/library/python:3.12-slim-bookworm

FROM ${BASE} AS build
ARG RUNTIME=cpu
WORKDIR /source
COPY . .
# pip has done its work then: without it, whoever breaks in installs nothing either.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m venv /opt/spritevae \
 && /opt/spritevae/bin/pip install --no-cache-dir ".[${RUNTIME}]" \
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
