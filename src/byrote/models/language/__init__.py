"""Language models: texts in, nats per text out, and token-by-token costs for the attacks."""
