"""Exposure: bits by which a model prefers a secret to other secrets of its format."""
