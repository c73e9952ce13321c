"""Functions on texts and on memories that need no service."""
