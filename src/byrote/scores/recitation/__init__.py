"""Recitation: which texts a language model continues word for word from their own beginnings."""
