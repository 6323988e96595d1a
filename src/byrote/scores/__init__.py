"""What the table says: memorization scores and their statistics."""
