"""API keys, hosts, and the headers that browsers obey."""
