"""What a service counts, as differences of its metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.soak.client import Client, request

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """The metrics of a service now."""

    def __init__(self, text: str) -> None:
        self._samples = [each for family in text_string_to_metric_families(text) for each in family.samples]

    @classmethod
    async def of(cls, client: Client) -> Metrics:
        """Those of the service that a client asks."""
        return cls((await client.ask(request("GET", "/metrics"))).body.decode())

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )
