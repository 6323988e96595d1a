"""What each verb does: a module a verb, imported when its options have been accepted."""
