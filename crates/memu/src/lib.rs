//! Long-term memory for AI agents that lives in one file.
