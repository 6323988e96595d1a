"""Language models: texts in, nats per text out, and a token at a time for the attacks."""
