"""What each verb does: one module per verb, imported when its options have been accepted."""
