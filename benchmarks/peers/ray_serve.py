"""Ray Serve (https://docs.ray.io/en/latest/serve): the plain FastAPI app, in replicas behind its proxy.

python -m benchmarks.peers.ray_serve PORT
"""

from __future__ import annotations

import signal
import sys

import ray
from fastapi import FastAPI
from ray import serve

from benchmarks.peers.pair import workers


def build() -> FastAPI:
    """The plain app, made in each replica."""
    from benchmarks.peers.fastapi_plain import app

    return app


@serve.ingress(build)
class Service:
    """Both endpoints."""


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"port": int(sys.argv[1])})
    deployed = serve.deployment(num_replicas=workers(), max_ongoing_requests=128, ray_actor_options={"num_cpus": 0.5})
    serve.run(deployed(Service).bind())
    signal.sigwait([signal.SIGTERM])
    serve.shutdown()
    ray.shutdown()
