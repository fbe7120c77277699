"""What routes share: bodies, schemas, negotiation, responses, OpenAPI."""
