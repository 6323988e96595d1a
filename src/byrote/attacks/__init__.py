"""Attacks on language models: ranks and secrets by search, enumeration and sampling."""
