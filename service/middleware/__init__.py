"""What every request passes before a route: admission control, request context, body limit, authentication."""
