"""From a listening socket to ASGI: uvicorn with time limits for clients, worker processes, signals."""
