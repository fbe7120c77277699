# The service with its default model, without torch.
#   docker build -t spritevae .                              CPU
#   docker build -t spritevae:gpu --build-arg RUNTIME=gpu .  GPU: run it with --gpus all
#   docker run --rm -p 8000:8000 --read-only spritevae
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ARG RUNTIME=cpu
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY training training
COPY export export
COPY service service
COPY spritevae spritevae
RUN python -m venv /opt/spritevae \
 && /opt/spritevae/bin/pip install --no-cache-dir ".[${RUNTIME}]"

FROM python:${PYTHON}
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
