"""Language models: texts in, nats per text out, and costs token by token for the attacks."""
